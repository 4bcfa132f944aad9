import {
  ContentionError,
  InvalidAdapterError,
  isIfMatchError,
  OutcomeUnknownError,
  StorageUnavailableError,
  type ErrorCode
} from '../../errors.js'
import type { ReadOptions, TransactionResult } from '../adapter.js'
import { backOff } from '../kit/backoff.js'
import { throwIfStopped } from '../kit/stop.js'
import { FAULT, isOfApp, mistakeIn, storageFault } from '../kit/whose-fault.js'
import { driverErrorOf } from '../statements/driver-error.js'
import { isBusy, loggable, mistakeFault } from '../statements/faults.js'
import { isMeetingOfCreation } from './steps-inside.js'

const ATTEMPTS = 16
const LONGEST_PAUSE = 64

// A lock of SQLite may have been waited for inside each attempt, so the time counts as well. In milliseconds.
const PATIENCE = 5000

// A creation may meet the unique key of its own entity, which another writer creates and a third one removes. It is as
// good as impossible that this happens four times in a row.
const MEETINGS_OF_CREATION = 4

const ANSWERS_COMMIT = new Set<ErrorCode>([
  'FST_IF_MATCH_CONTENTION',
  'FST_IF_MATCH_CONSTRAINT',
  'FST_IF_MATCH_INVALID_VALUE'
])

const NOT_BEGUN = '"transaction" failed by a mistake in the code, and nothing was changed'

/** The app's function that begins a transaction, runs the steps in it, and ends it. */
type Transaction<Tx> = (run: (tx: Tx) => Promise<unknown>) => Promise<unknown>

/** How far a transaction had come when the app's function rejected by itself. */
type Stage = 'begin' | 'work' | 'commit'

/** How a transaction ended: committed or refused, with an error of its steps, or with one of the app's function. */
type End<T, R> =
  | { result: TransactionResult<T, R> }
  | { failure: unknown }
  | { stage: Stage, error: unknown }

/**
 * Runs a transaction, and runs it again while others were in its way and all of it was rolled back.
 *
 * @param faultOf the error of the contract for an error of the driver; undefined if it does not tell what became of it
 * @throws what the steps reject with; FST_IF_MATCH_CONTENTION; FST_IF_MATCH_STORAGE_UNAVAILABLE if nothing was begun;
 * FST_IF_MATCH_OUTCOME_UNKNOWN if the answer to COMMIT was lost
 */
export async function runAgain<T, R, Tx> (
  transaction: Transaction<Tx>,
  steps: (tx: Tx) => Promise<TransactionResult<T, R>>,
  faultOf: (error: unknown) => Error | undefined,
  options: ReadOptions | undefined
): Promise<TransactionResult<T, R>> {
  const end = performance.now() + PATIENCE
  let meetings = 0
  for (let attempt = 1; ; attempt++) {
    throwIfStopped(options)
    const ended = await runOnce(transaction, steps)
    if ('result' in ended) return ended.result
    const error = 'failure' in ended ? certain(ended.failure) : errorAt(ended.stage, ended.error, faultOf)
    const isLastAttempt = attempt === ATTEMPTS || performance.now() >= end
    if (isMeetingOfCreation(error)) {
      if (++meetings === MEETINGS_OF_CREATION || isLastAttempt) throw error
    } else if (codeOf(error) === 'FST_IF_MATCH_CONTENTION') {
      if (isLastAttempt) throw new ContentionError(attempt, { cause: (error as Error).cause })
    } else if (!isOfBusyFile(error) || isLastAttempt) {
      throw error
    }
    await backOff(attempt, LONGEST_PAUSE)
  }
}

async function runOnce<T, R, Tx> (
  transaction: Transaction<Tx>,
  steps: (tx: Tx) => Promise<TransactionResult<T, R>>
): Promise<End<T, R>> {
  let stage: Stage = 'begin'
  // What the steps came to. The app's function may run them more than once.
  let end: { result: TransactionResult<T, R> } | { failure: unknown } | undefined
  try {
    await transaction(async (tx) => {
      stage = 'work'
      end = undefined
      try {
        end = { result: await steps(tx) }
        stage = 'commit'
      } catch (failure) {
        end = { failure }
        throw failure
      }
    })
  } catch (error) {
    const known = end as typeof end
    // A refusal stands, however the transaction ends: it changed nothing.
    if (known !== undefined && ('failure' in known || !known.result.applied)) return known
    return { stage, error }
  }
  const known = end as typeof end
  if (known !== undefined && 'result' in known) return known
  const what = known === undefined
    ? 'never ran the work of a transaction. "transaction" must call the function that it is given.'
    : 'ended a transaction without an error although its work had one. "transaction" must roll back, and reject.'
  return { stage: 'commit', error: storageFault(FAULT.write, new InvalidAdapterError(what)) }
}

/**
 * The error of the contract for an error of the app's function itself.
 *
 * - `commit`: the error is the only thing that tells what became of the COMMIT
 * - `begin`, `work`: COMMIT comes after the work, so nothing was committed
 */
function errorAt (stage: Stage, thrown: unknown, faultOf: (error: unknown) => Error | undefined): unknown {
  const error = driverErrorOf(thrown)
  const fault = isIfMatchError(error) ? error : faultOf(error)
  if (stage !== 'commit') {
    if (isOfApp(error)) return error
    return certain(fault ?? mistakeFault(error, NOT_BEGUN) ?? new StorageUnavailableError({ cause: loggable(error) }))
  }
  if (fault !== undefined && (fault === error || tellsOfCommit(fault))) return fault
  const isMistake = mistakeIn(error) !== undefined
  return isMistake ? storageFault(FAULT.write, error) : new OutcomeUnknownError({ cause: loggable(error) })
}

// Whether the server answered the COMMIT itself, by rolling it back. Other errors may be those of the ROLLBACK that an
// ORM sends behind a COMMIT whose answer was lost: it was not sent, or there was nothing to roll back any more
// (engine-facts#any-orm-rollback-hides-commit).
function tellsOfCommit (fault: Error): boolean {
  const code = codeOf(fault)
  return code === undefined || ANSWERS_COMMIT.has(code) || isOfBusyFile(fault)
}

/** The error of what was rolled back: no outcome is unknown then. */
function certain (error: unknown): unknown {
  if (codeOf(error) !== 'FST_IF_MATCH_OUTCOME_UNKNOWN') return error
  return new StorageUnavailableError({ cause: (error as Error).cause })
}

function codeOf (error: unknown): ErrorCode | undefined {
  return isIfMatchError(error) ? error.code : undefined
}

// Whether another connection held the lock of an SQLite file: the transaction was rolled back, or never began.
function isOfBusyFile (error: unknown): boolean {
  return codeOf(error) === 'FST_IF_MATCH_STORAGE_UNAVAILABLE' && isBusy((error as Error).cause)
}
