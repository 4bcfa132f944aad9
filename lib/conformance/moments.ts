import { setImmediate as turn } from 'node:timers/promises'
import type { Locked } from '../storage/adapter.js'

// Enough for another connection to be opened and to send a statement meanwhile, on the slowest of the engines.
const MOST_STATEMENTS = 32

/** A point that one caller of a case reaches, and that others wait for. */
export interface Moment {
  readonly isReached: boolean
  /** Resolves when it is reached. */
  readonly reached: Promise<void>
  reach (): void
}

export function moment (): Moment {
  let isReached = false
  let resolve!: () => void
  const reached = new Promise<void>((_resolve) => { resolve = _resolve })
  return {
    get isReached () { return isReached },
    reached,
    reach () {
      isReached = true
      resolve()
    }
  }
}

/** Lets the event loop turn this often. */
export async function turns (count: number): Promise<void> {
  for (let passed = 0; passed < count; passed++) await turn()
}

/**
 * Keeps a transaction open until others have come to a point, and sends statements inside it meanwhile: 32 at most.
 * Where works follow one another, and where the others wait for a lock of this transaction, they never come to it.
 */
export async function linger (locked: Locked, isEnough: () => boolean): Promise<void> {
  for (let sent = 0; sent < MOST_STATEMENTS && !isEnough(); sent++) {
    await locked.read()
    // An engine inside the process answers before the event loop turns, and the others may need a turn.
    await turn()
  }
}
