import {
  ContentionError,
  isIfMatchError,
  StorageUnavailableError,
  VersionUnchangedError,
  type ErrorCode
} from '../../errors.js'
import type { Expectation, Stored, TransactionResult, Work, WriteOptions } from '../adapter.js'
import { within } from '../kit/deadline.js'
import { satisfies } from '../kit/expectation.js'
import { kindOf } from '../kit/flaws.js'
import { assertTaggable, versionText } from '../kit/row-version.js'
import { throwIfStopped } from '../kit/stop.js'
import { FAULT, isOfApp, isOfConstraint, mistakeIn, passOn, storageFault } from '../kit/whose-fault.js'
import { explain, isRefusedByTransaction } from '../postgres/faults.js'
import type { RowVersion } from '../statements/answer.js'
import { driverErrorOf } from '../statements/driver-error.js'
import { loggable } from '../statements/faults.js'
import type { LastWrite } from './last-write.js'

/** How long a transaction may take to show that it is still there, in milliseconds. */
const PROBE_TIMEOUT = 2000

/** What the steps need of the app's functions. */
interface Parts<T, Tx, Id> {
  version (tx: Tx, id: Id): RowVersion | null | undefined | Promise<RowVersion | null | undefined>
  read (tx: Tx, id: Id): Promise<Stored<T> | undefined>
  saveLastWrite: ((tx: Tx, id: Id, write: LastWrite) => unknown) | undefined
  faultOf (error: unknown): Error | undefined
}

/** What the engine, or the driver in its place, says of a connection that is not there any more. */
const GONE = new Set<ErrorCode>(['FST_IF_MATCH_STORAGE_UNAVAILABLE', 'FST_IF_MATCH_OUTCOME_UNKNOWN'])

const OLD_SNAPSHOT = 'The transaction sees the entity as it was before it was locked. Begin it at READ COMMITTED.'

const metInCreation = new WeakSet<object>()

/**
 * Whether an error tells that a creation met a unique key: that may be the key of the entity itself, which another
 * writer created meanwhile.
 */
export function isMeetingOfCreation (error: unknown): boolean {
  return metInCreation.has(Object(error))
}

/**
 * The steps of a transaction between its beginning and its end: lock, compare, do the work, demand that the version has
 * moved, keep what is known of the write. What they reject with has been told apart: nothing of it was committed.
 */
export function stepsInside<T, Tx, Id> ({ version, read, saveLastWrite, faultOf }: Parts<T, Tx, Id>) {
  // An error that nothing knows is one of the app, or the connection is lost: then the transaction does not answer.
  async function isLost (tx: Tx, id: Id): Promise<boolean> {
    try {
      await within(PROBE_TIMEOUT, Promise.resolve(version(tx, id)), () => new Error('no answer'))
      return false
    } catch (thrown) {
      const error = driverErrorOf(thrown)
      if (isRefusedByTransaction(error) || isIfMatchError(error)) return false
      const fault = faultOf(error)
      return fault === undefined || (isIfMatchError(fault) && GONE.has(fault.code))
    }
  }

  async function told (thrown: unknown, tx: Tx, id: Id): Promise<unknown> {
    const error = driverErrorOf(thrown)
    if (isIfMatchError(error) || isOfApp(error)) return error
    if (isRefusedByTransaction(error)) return storageFault(FAULT.rolledBack, explain(error))
    const fault = faultOf(error)
    if (fault !== undefined) return fault
    // A bug of the work is no outage, and an error of the app goes out as it is.
    const isOutage = mistakeIn(thrown) === undefined && await isLost(tx, id)
    if (isOutage) return new StorageUnavailableError({ cause: loggable(error) })
    return passOn(thrown instanceof Object ? thrown : new Error(`The work of a transaction threw ${kindOf(thrown)}.`))
  }

  // At REPEATABLE READ on MySQL a lock is of the newest row, and a read behind it may be of an earlier moment
  // (engine-facts#mariadb-lock-is-newer-than-snapshot). A version that is not the locked one is the work's own, or old.
  async function readLocked (tx: Tx, id: Id, locked: string | undefined): Promise<Stored<T> | undefined> {
    const stored = await read(tx, id)
    if (stored?.version === locked || stored?.version === textOf(await version(tx, id))) return stored
    throw new ContentionError(1, { cause: new Error(OLD_SNAPSHOT) })
  }

  async function movedFrom (before: string | undefined, tx: Tx, id: Id): Promise<string | undefined> {
    const after = textOf(await version(tx, id))
    if (after === before) throw new VersionUnchangedError()
    assertTaggable(after)
    return after
  }

  return async function steps<R> (
    tx: Tx,
    id: Id,
    expectation: Expectation,
    work: Work<T, R, Tx>,
    options: WriteOptions | undefined
  ): Promise<TransactionResult<T, R>> {
    let before: string | undefined
    try {
      before = textOf(await version(tx, id))
      throwIfStopped(options)
      if (!satisfies(expectation, before)) {
        return { applied: false, current: before === undefined ? undefined : await readLocked(tx, id, before) }
      }
      const value = await work(tx, { version: before, read: () => readLocked(tx, id, before) })
      let after = await movedFrom(before, tx, id)
      if (saveLastWrite !== undefined && after !== undefined) {
        await saveLastWrite(tx, id, { version: after, replaced: before ?? null, digest: options?.digest ?? null })
        // It may have moved the version once more, by a trigger on the same row.
        after = await movedFrom(before, tx, id)
      }
      // Nobody is told of what was committed from here on.
      throwIfStopped(options)
      return { applied: true, version: after, created: before === undefined, value }
    } catch (thrown) {
      const error = await told(thrown, tx, id)
      const isMeeting = before === undefined && isOfConstraint(error)
      if (isMeeting) metInCreation.add(error as object)
      throw error
    }
  }
}

function textOf (version: RowVersion | null | undefined): string | undefined {
  return version === undefined || version === null ? undefined : versionText(version)
}
