import type { CallOptions } from './types.js'

const FIRST_DELAY = 50

/** A timer that is longer fires at once (engine-facts#node-timer-limit). */
const LONGEST = 2 ** 31 - 1

/**
 * Runs this with a signal that is aborted when the outer one is, or after so many milliseconds. Rejects with the reason
 * of the outer one if that is aborted already.
 */
export async function within<T> (
  milliseconds: number, signal: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const stop = (): void => { controller.abort(signal!.reason) }
  const giveUp = (): void => { controller.abort(new Error(`no answer within ${milliseconds} ms`)) }
  const timer = setTimeout(giveUp, Math.min(milliseconds, LONGEST))
  signal?.addEventListener('abort', stop)
  try {
    return await run(controller.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** Resolves once the signal is aborted. */
export async function aborted (signal: AbortSignal): Promise<unknown> {
  return await new Promise((resolve) => { signal.addEventListener('abort', resolve) })
}

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
      await within(after + Math.random() * Math.min(maxDelay, FIRST_DELAY * 2 ** made++), signal, aborted)
      signal?.throwIfAborted()
    }
  }
}
