import { StorageUnavailableError } from '../../errors.js'
import type { ReadOptions } from '../adapter.js'
import type { BatcherOptions } from './batcher.js'
import { throwIfStopped } from './stop.js'

/** An operation that waits to be sent together with others. */
export interface InTime {
  readonly options: ReadOptions | undefined
  /** The time of `performance.now()` after which it is not sent any more. */
  readonly deadline: number
}

/** How operations that waited are carried out: together, and alone where that costs less. */
type CarryOut<O, R> = Pick<BatcherOptions<O, R>, 'run' | 'runAlone'>

/**
 * The same, for operations that were not stopped and have not waited for too long. The rest is rejected, and does not
 * keep the others.
 *
 * @param engine the name of the engine, for the error of an operation that waited for too long
 */
export function inTime<O extends InTime, R> (engine: string, { run, runAlone }: CarryOut<O, R>): CarryOut<O, R> {
  return {
    async run (batch) {
      const reasons = batch.map((operation) => whyNotSent(engine, operation))
      const sent = batch.filter((_, index) => reasons[index] === undefined)
      const outcomes = sent.length === 0 ? [] : [...await run(sent)]
      return reasons.map((reason) => reason === undefined ? outcomes.shift()! : { status: 'rejected', reason })
    },
    ...runAlone !== undefined && {
      async runAlone (operation: O) {
        const reason = whyNotSent(engine, operation)
        if (reason !== undefined) throw reason
        return await runAlone(operation)
      }
    }
  }
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
