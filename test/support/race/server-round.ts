import type { ServerResponse } from 'node:http'
import type { Message, Report } from './protocol.js'

/** One round, as the server process sees it: what it saw when, and the gate at which requests wait for a late store. */
export class ServerRound {
  readonly #requests: number
  readonly #tell: (message: Message) => void
  readonly #report: Report = { seenBeforeFirstWrite: undefined, seenInFirstTurn: 0 }
  #seen = 0
  #answered = 0
  #isFirstTurn = true
  #atGate: Array<() => void> = []

  constructor (requests: number, tell: (message: Message) => void) {
    this.#requests = requests
    this.#tell = tell
  }

  get report (): Report {
    return this.#report
  }

  /** The headers of a request were read. */
  arrive (response: ServerResponse): void {
    // Immediates run when all the sockets were read that were readable at the beginning of the turn.
    if (this.#seen === 0) setImmediate(() => { this.#isFirstTurn = false })
    this.#seen++
    if (this.#isFirstTurn) this.#report.seenInFirstTurn = this.#seen
    response.once('close', () => {
      this.#answered++
      this.#check()
    })
    if (this.#seen === this.#requests) this.#tell({ kind: 'seen' })
  }

  /** A write to the storage begins. */
  write (): void {
    this.#report.seenBeforeFirstWrite ??= this.#seen
  }

  /** Waits until every request of the round, in every server process, waits too or was answered. */
  atGate (): Promise<void> {
    return new Promise((resolve) => {
      this.#atGate.push(resolve)
      this.#check()
    })
  }

  open (): void {
    for (const resolve of this.#atGate.splice(0)) resolve()
  }

  #check (): void {
    if (this.#answered === this.#requests) this.#tell({ kind: 'answered' })
    else if (this.#atGate.length > 0 && this.#atGate.length + this.#answered === this.#requests) {
      this.#tell({ kind: 'waiting' })
    }
  }
}
