import { connect, type Socket } from 'node:net'
import { AnswerReader, type Answer } from './answer.js'

/** A connection that sends a request once the one before was answered. */
export interface Connection {
  /** The server, as the field `Host` names it. */
  readonly host: string
  /** Sends the bytes of a request, a text of Latin-1, and resolves to its answer. */
  ask (request: string): Promise<Answer>
}

/** One over TCP. */
export class SocketConnection implements Connection {
  readonly #socket: Socket
  readonly #reader = new AnswerReader()
  #wait: { resolve: (answer: Answer) => void, reject: (error: Error) => void } | undefined

  readonly host: string

  constructor (url: string) {
    const { hostname, port, host } = new URL(url)
    this.host = host
    const socket = this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    socket.on('data', (bytes: Buffer) => {
      const answer = this.#reader.push(bytes)
      if (answer !== undefined) this.#settle()?.resolve(answer)
    })
    socket.on('error', (error) => this.#settle()?.reject(error))
    socket.on('close', () => this.#settle()?.reject(new Error('the server closed the connection.')))
  }

  ask (request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#wait = { resolve, reject }
      this.#socket.write(request, 'latin1')
    })
  }

  #settle () {
    const wait = this.#wait
    this.#wait = undefined
    return wait
  }
}
