/** A connection that the adapter made for itself: it sends no command twice, and keeps none for later. */
export interface RedisConnection {
  /** Whether a command that is sent now leaves at once. */
  readonly isReady: boolean
  /** The driver's last error, while there is no connection. */
  readonly trouble: Error | undefined
  open (): Promise<void>
  /**
   * @param key decides which node of a Cluster gets the command
   * @param isAlone whether no other command is under way: then none is worth waiting for that could leave with it
   */
  send (key: string, command: string[], isAlone?: boolean): Promise<unknown>
  /** Ends this connection and makes a new one: the server is silent, or is not the master any more. */
  giveUp (): void
  close (): void
}

const FIRST_PAUSE = 50
const LONGEST_PAUSE = 1000

/**
 * Milliseconds to wait before the next attempt to connect: twice as long each time, up to a second. Half of that is
 * random, so that the clients of a server that comes back do not all arrive together.
 */
export function reconnectPause (attempt: number): number {
  return Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE) * (0.5 + Math.random() / 2)
}
