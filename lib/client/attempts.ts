import type { CallOptions } from './types.js'

const FIRST_DELAY = 50

/** A timer that is longer fires at once (engine-facts#node-timer-limit). */
export const LONGEST = 2 ** 31 - 1

/** Counts the tries of a call, and waits between them. */
export interface Attempts {
  /** Whether there may be another one, after this many milliseconds that the server asks for. */
  left: (after?: number) => boolean
  /**
   * Waits for so long, and a random pause on top: full jitter, so that clients that met do not meet again. Rejects with
   * the reason of the signal if that comes first.
   */
  next: (after?: number) => Promise<void>
}

export function attempts (
  { retries = 8, maxDelay = 2000, maxRetryAfter = 30_000, signal }: CallOptions
): Attempts {
  let made = 0
  return {
    left: (after = 0) => made < retries && after <= maxRetryAfter,
    async next (after = 0) {
      const pause = after + Math.random() * Math.min(maxDelay, FIRST_DELAY * 2 ** made++)
      signal?.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(timer)
          reject(signal!.reason)
        }
        const timer = setTimeout(() => {
          signal?.removeEventListener('abort', stop)
          resolve()
        }, Math.min(pause, LONGEST))
        signal?.addEventListener('abort', stop)
      })
    }
  }
}
