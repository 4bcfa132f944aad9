import { LateWriteError } from '../../errors.js'
import type { ReadOptions } from '../adapter.js'

/**
 * Ends an operation that was not sent yet, because nobody waits for it any more.
 *
 * @throws FST_IF_MATCH_LATE_WRITE if `isOver` says so; without `isOver`, the reason of the signal
 */
export function throwIfStopped (options: ReadOptions | undefined): void {
  // A new AbortSignal costs as much as the rest of a write to memory, and most requests never abort one.
  if (options?.isOver === undefined) options?.signal?.throwIfAborted()
  else if (options.isOver()) throw new LateWriteError()
}
