import { StorageUnavailableError } from '../../errors.js'
import type { ReadOptions } from '../adapter.js'
import { throwIfStopped } from './stop.js'

/** An operation that waits to be sent together with others. */
export interface InTime {
  readonly options: ReadOptions | undefined
  /** The time of `performance.now()` after which it is not sent any more. */
  readonly deadline: number
}

/**
 * Sends the operations of a batch that were not stopped and have not waited for too long. The rest is rejected, and
 * does not keep the others.
 *
 * @param engine the name of the engine, for the error of an operation that waited for too long
 * @param send gives one outcome for each operation, in their order
 */
export async function sendInTime<O extends InTime, R> (
  engine: string,
  batch: readonly O[],
  send: (inTime: readonly O[]) => Promise<ReadonlyArray<PromiseSettledResult<R>>>
): Promise<Array<PromiseSettledResult<R>>> {
  const reasons = batch.map((operation) => whyNotSent(engine, operation))
  const inTime = batch.filter((_, index) => reasons[index] === undefined)
  const sent = inTime.length === 0 ? [] : [...await send(inTime)]
  return reasons.map((reason) => reason === undefined ? sent.shift()! : { status: 'rejected', reason })
}

/**
 * The same for a lone operation, which may be sent if this does not throw.
 *
 * @throws the reason of the stop; FST_IF_MATCH_STORAGE_UNAVAILABLE if it waited for too long
 */
export function assertInTime (engine: string, { options, deadline }: InTime): void {
  throwIfStopped(options)
  if (performance.now() <= deadline) return
  throw new StorageUnavailableError({
    cause: new Error(`${engine}: it waited for longer than the timeout behind others, and was not sent.`)
  })
}

function whyNotSent (engine: string, operation: InTime): unknown {
  try {
    assertInTime(engine, operation)
    return undefined
  } catch (reason) {
    return reason
  }
}
