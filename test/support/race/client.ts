import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Answer {
  status: number
  etag: string | undefined
  body: string
}

/** A keep-alive connection that sends a request in pieces, when the test says so. One request at a time, in ASCII. */
export class Client {
  readonly #socket: Socket
  #received = ''
  #waiting: { resolve: (answer: Answer) => void, reject: (error: Error) => void } | undefined

  static async connect (port: number): Promise<Client> {
    // Without noDelay the second piece would wait until the first is acknowledged.
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    const client = new Client(socket)
    await once(socket, 'connect')
    return client
  }

  private constructor (socket: Socket) {
    this.#socket = socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** Resolves when the kernel has taken the bytes; over loopback they are then in the server's socket. */
  send (text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(text, 'latin1', (error) => error ? reject(error) : resolve())
    })
  }

  /** The answer to the request that was, or is about to be, sent. */
  answer (): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      if (this.#socket.destroyed) this.#fail(new Error('the connection is closed'))
    })
  }

  async request (text: string): Promise<Answer> {
    const [answer] = await Promise.all([this.answer(), this.send(text)])
    return answer
  }

  close (): void {
    this.#socket.destroy()
  }

  #read (text: string): void {
    this.#received += text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#received.slice(0, end)
    const body = this.#received.slice(end + 4)
    const missing = Number(field(head, 'content-length') ?? 0) - body.length
    if (missing > 0) return
    if (missing < 0 || this.#waiting === undefined) {
      return this.#fail(new Error(`more than was asked for: ${this.#received}`))
    }
    const { resolve } = this.#waiting
    this.#received = ''
    this.#waiting = undefined
    resolve({ status: Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)), etag: field(head, 'etag'), body })
  }

  #fail (error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
    this.#socket.destroy()
  }
}

function field (head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trimEnd()
}

export function get (path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: race\r\n\r\n`
}

/** `precondition` is a header line. */
export function put (path: string, precondition: string, body: string): string {
  const headers = ['Host: race', precondition, 'Content-Type: application/json', `Content-Length: ${body.length}`]
  return [`PUT ${path} HTTP/1.1`, ...headers, '', body].join('\r\n')
}
