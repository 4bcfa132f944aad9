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

function whyNotSent (engine: string, { options, deadline }: InTime): unknown {
  try {
    throwIfStopped(options)
  } catch (reason) {
    return reason
  }
  if (performance.now() <= deadline) return undefined
  return new StorageUnavailableError({
    cause: new Error(`${engine}: it waited for longer than the timeout behind others, and was not sent.`)
  })
}
