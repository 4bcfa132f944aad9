/**
 * Who decides the precondition of a PUT:
 *
 * - `plugin`: the plugin, in the write. All others are wrong, each in its own way:
 * - `onRequest`: a hook before the body is read; the handler then writes unconditionally
 * - `preHandler`: a hook after the body was read; the handler then writes unconditionally
 * - `adapter`: the plugin, on an adapter whose write reads, compares, and then writes
 */
export type Decider = 'plugin' | 'onRequest' | 'preHandler' | 'adapter'

/** What a server process is started with. */
export interface ServerConfig {
  /** The store, as STORAGE of the reference server names it. */
  storage: string
  decider: Decider
}

/** What a server process saw of a round: its proof that the requests were in flight together. */
export interface Report {
  /** How many requests had been seen when the first write to the storage began; undefined: nothing was written. */
  seenBeforeFirstWrite: number | undefined
  /**
   * How many requests were read in the turn of the event loop of the first: their bytes lay in the sockets together.
   */
  seenInFirstTurn: number
}

/**
 * From the test to a server. `hold` is answered and ended on the line: the event loop of the server stands meanwhile.
 */
export type Command =
  /** From now on, whether the store answers late (`late-adapter.ts`). */
  | { kind: 'answerLate', isLate: boolean }
  | { kind: 'begin', requests: number }
  | { kind: 'hold' }
  | { kind: 'open' }
  | { kind: 'end' }

/** From a server to the test. */
export type Message =
  | { kind: 'listening', port: number }
  /** The store answers late from now on, or no longer. */
  | { kind: 'paced' }
  | { kind: 'begun' }
  /** The headers of all requests of the round were seen. */
  | { kind: 'seen' }
  /** Every request of the round waits for the store, or was answered. */
  | { kind: 'waiting' }
  /** Every request of the round was answered. */
  | { kind: 'answered' }
  | { kind: 'ended', report: Report }

/** The file descriptor of the line, in the server process. */
export const LINE = 4
