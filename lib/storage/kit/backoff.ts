import { setTimeout as delay } from 'node:timers/promises'

/**
 * The pause ahead of an attempt, in milliseconds: full jitter, so that writers who met do not meet again, below a bound
 * that doubles with each attempt up to `longest`.
 *
 * @param attempt how many attempts were made so far, from 1
 */
export function pauseBefore (attempt: number, longest: number): number {
  return Math.random() * Math.min(2 ** attempt, longest)
}

/** Waits for `pauseBefore`. */
export async function backOff (attempt: number, longest: number): Promise<void> {
  await delay(pauseBefore(attempt, longest))
}
