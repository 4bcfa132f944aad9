import { setTimeout as delay } from 'node:timers/promises'

const LONGEST = 30_000
const PAUSE = 5

/**
 * Looks again and again until something is so, and gives what it found: what is neither undefined, null nor false. A
 * busy machine only makes it slower; the bound ends what would hang.
 *
 * @param what for the message of the error
 */
export async function until<R> (what: string, look: () => R | Promise<R>, longest = LONGEST): Promise<NonNullable<R>> {
  const over = AbortSignal.timeout(longest)
  while (!over.aborted) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found
    await delay(PAUSE)
  }
  throw new Error(`${what}: not so within ${longest} ms`)
}
