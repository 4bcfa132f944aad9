import { setTimeout as delay } from 'node:timers/promises'

type Found<R> = Exclude<R, undefined | null | false>

const LONGEST = 30_000
const PAUSE = 5

/**
 * Looks again and again until it finds something that is neither undefined, null nor false, and gives what it found. A
 * busy machine only makes it slower; the bound ends a test that would hang.
 *
 * @param what what it waits for, for the message of the error
 */
export async function until<R> (what: string, look: () => R | Promise<R>, longest = LONGEST): Promise<Found<R>> {
  const over = AbortSignal.timeout(longest)
  while (!over.aborted) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found as Found<R>
    await delay(PAUSE)
  }
  throw new Error(`${what}: not so within ${longest} ms`)
}
