import type { ReadOptions } from '../adapter.js'

/** In the options that come with a request: whether it is over, told without the cost of making an AbortSignal. */
export const kIsOver = Symbol('fastify-if-match.is-over')

/**
 * Ends an operation that was not sent yet, because nobody waits for it any more.
 *
 * @throws the reason of the signal; for a request that is over, FST_IF_MATCH_LATE_WRITE
 */
export function throwIfStopped (options: ReadOptions | undefined): void {
  // A new AbortSignal costs as much as the rest of a write to memory, and most requests never abort one.
  if (options?.[kIsOver]?.() !== false) options?.signal?.throwIfAborted()
}
