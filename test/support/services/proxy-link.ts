import type { Socket } from 'node:net'

/** How the connections of a proxy are treated, until the next rule. */
export interface Rule {
  mode: 'pass' | 'cutAnswer' | 'hold' | 'halfOpen'
  /** Picks the request with which the rule begins on a connection; without it, the rule begins at once. */
  when: ((request: Buffer) => boolean) | undefined
  requested: () => void
  answered: () => void
}

/** One connection: the client's socket, the engine's, and what is kept back between them. */
export class Link {
  readonly #client: Socket
  readonly #engine: Socket
  readonly #requests: Direction
  readonly #answers: Direction
  #rule: Rule
  #caught = false

  constructor (client: Socket, engine: Socket, rule: Rule, over: () => void) {
    this.#client = client
    this.#engine = engine
    this.#requests = new Direction(engine)
    this.#answers = new Direction(client)
    this.#rule = rule
    this.obey(rule)
    client.on('data', (chunk: Buffer) => { this.#onRequest(chunk) })
    engine.on('data', (chunk: Buffer) => { this.#onAnswer(chunk) })
    for (const [socket, direction] of [[client, this.#requests], [engine, this.#answers]] as const) {
      socket.setNoDelay(true)
      socket.on('error', () => {}) // 'close' follows
      socket.on('close', () => {
        direction.end()
        if (client.destroyed && engine.destroyed) over()
      })
    }
  }

  /** Whether the client has left, and the engine has not ended the connection. */
  get isLeft (): boolean {
    return this.#client.destroyed && !this.#engine.destroyed
  }

  obey (rule: Rule): void {
    this.#rule = rule
    this.#caught = rule.when === undefined
    this.#turn()
  }

  destroy (): void {
    this.#client.destroy()
    this.#engine.destroy()
  }

  #turn (): void {
    const mode = this.#caught ? this.#rule.mode : 'pass'
    this.#requests.set(mode !== 'halfOpen')
    this.#answers.set(mode !== 'halfOpen' && mode !== 'hold')
  }

  #onRequest (chunk: Buffer): void {
    const { when, requested } = this.#rule
    if (when?.(chunk) === true) {
      this.#caught = true
      this.#turn()
    }
    this.#requests.push(chunk)
    if (this.#caught) requested()
  }

  #onAnswer (chunk: Buffer): void {
    const { mode, answered } = this.#rule
    const cut = this.#caught && mode === 'cutAnswer'
    if (cut) this.destroy()
    else this.#answers.push(chunk)
    if (this.#caught) answered()
  }
}

/** One direction of a connection, open or shut. While it is shut, data waits, and so does the end of the connection. */
class Direction {
  readonly #to: Socket
  #waiting: Buffer[] = []
  #ended = false
  #open = true

  constructor (to: Socket) {
    this.#to = to
  }

  set (open: boolean): void {
    this.#open = open
    this.#flush()
  }

  push (chunk: Buffer): void {
    this.#waiting.push(chunk)
    this.#flush()
  }

  end (): void {
    this.#ended = true
    this.#flush()
  }

  #flush (): void {
    if (!this.#open) return
    for (const chunk of this.#waiting.splice(0)) this.#to.write(chunk)
    if (this.#ended) this.#to.end()
  }
}
