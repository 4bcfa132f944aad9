import { setTimeout as delay } from 'node:timers/promises'

/**
 * The pause ahead of the next attempt, in milliseconds. It is random, so that two writers that met do not meet again,
 * and stays below a bound that doubles with each attempt, up to `longest`.
 *
 * @param attempt how many attempts were made so far, from 1
 */
export function pauseBefore (attempt: number, longest: number): number {
  return Math.random() * Math.min(2 ** attempt, longest)
}

/** Waits for as long as `pauseBefore` says. */
export async function backOff (attempt: number, longest: number): Promise<void> {
  await delay(pauseBefore(attempt, longest))
}
