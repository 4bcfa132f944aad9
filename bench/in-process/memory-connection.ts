import type { Server } from 'node:http'
import { Duplex } from 'node:stream'
import { AnswerReader, type Answer } from '../load/answer.js'
import type { Connection } from '../load/connection.js'

/**
 * A connection to a server of node:http without a socket: the parser of Node.js reads what is asked, and what the
 * server writes is the answer. No kernel takes part, so the figures repeat within a few percent.
 */
export class MemoryConnection extends Duplex implements Connection {
  readonly host = '127.0.0.1'
  readonly #reader = new AnswerReader()
  #resolve: ((answer: Answer) => void) | undefined

  // What node:http asks of a socket.
  readonly remoteAddress = '127.0.0.1'
  readonly encrypted = false

  constructor (server: Server) {
    super()
    server.emit('connection', this)
  }

  ask (request: string): Promise<Answer> {
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.push(Buffer.from(request, 'latin1'))
    })
  }

  override _read (): void {}

  override _write (bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#take(bytes)
    done()
  }

  override _writev (parts: Array<{ chunk: Buffer }>, done: () => void): void {
    this.#take(Buffer.concat(parts.map(({ chunk }) => chunk)))
    done()
  }

  setTimeout (): this { return this }
  setNoDelay (): this { return this }
  setKeepAlive (): this { return this }
  ref (): this { return this }
  unref (): this { return this }
  destroySoon (): void { this.destroy() }

  #take (bytes: Buffer): void {
    const answer = this.#reader.push(bytes)
    if (answer !== undefined) this.#resolve?.(answer)
  }
}
