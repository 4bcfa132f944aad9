import { Agent as HttpAgent, request as httpRequest, type ClientRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { text as textOf } from 'node:stream/consumers'
import { EtcdFault, faultOfAnswer } from './faults.js'

/** What TLS is told, in PEM, as `tls.connect` of Node has it. */
export interface EtcdTls {
  /** The certificates of the authorities that sign the servers' (default: those that Node knows). */
  ca?: string | Buffer | Array<string | Buffer> | undefined
  /** The client's certificate, */
  cert?: string | Buffer | undefined
  /** and its key. */
  key?: string | Buffer | undefined
  /** The name in the servers' certificates, if it is not the host of the URL. */
  servername?: string | undefined
}

/** How long, in milliseconds, until the request is sent and until it is answered. */
export interface EtcdBounds { connect: number, answer: number }

const SOCKETS = { keepAlive: true, maxSockets: 64 }

/** The JSON gateway of one member, over connections that are kept (E56). */
export class EtcdEndpoint {
  readonly #origin: string
  readonly #isSecure: boolean
  readonly #agent: HttpAgent | HttpsAgent

  constructor (origin: string, tls: EtcdTls = {}) {
    this.#origin = origin
    this.#isSecure = origin.startsWith('https:')
    this.#agent = this.#isSecure ? new HttpsAgent({ ...SOCKETS, ...tls }) : new HttpAgent(SOCKETS)
  }

  /**
   * Sends a request once, and gives the text of the answer. Without a body it is a GET.
   *
   * @throws EtcdFault
   */
  async post (path: string, body: string | undefined, token: string | undefined, bounds: EtcdBounds): Promise<string> {
    const request = (this.#isSecure ? httpsRequest : httpRequest)(this.#origin + path, {
      method: body === undefined ? 'GET' : 'POST',
      agent: this.#agent,
      headers: {
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        ...(token !== undefined && { authorization: token })
      }
    })
    const sending = this.#watch(request, bounds)
    let status = 0
    let text = ''
    try {
      ;[status, text] = await Promise.race([answerOf(request, body), sending.late])
    } catch (cause) {
      throw new EtcdFault(
        sending.wasSent ? 'LOST' : 'UNREACHABLE',
        `${this.#origin} ${sending.wasSent ? 'gave no answer' : 'cannot be reached'}: ${(cause as Error).message}`,
        { cause }
      )
    } finally {
      clearTimeout(sending.timer)
    }
    if (status !== 200) throw faultOfAnswer(status, text)
    return text
  }

  /** Forgets the connections that nobody uses: where one is half-open the others are, too (E32). */
  forget (): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) for (const socket of sockets!) socket.destroy()
  }

  close (): void {
    this.#agent.destroy()
  }

  // Nothing is sent before the connection stands, so a request that ends before that was certainly not (E58). (`reusedSocket`
  // is not set for a request that had to wait for a connection.)
  #watch (
    request: ClientRequest,
    { connect, answer }: EtcdBounds
  ): { wasSent: boolean, timer: NodeJS.Timeout, late: Promise<never> } {
    const start = performance.now()
    let bound!: (milliseconds: number) => NodeJS.Timeout
    // Nobody else tells it of a request that waits for a connection, nor after an answer that changes the protocol.
    const late = new Promise<never>((_resolve, reject) => {
      bound = (milliseconds) =>
        setTimeout(
          () => {
            const error = new Error(`it took longer than ${Math.round(milliseconds)} ms`)
            request.destroy(error)
            reject(error)
          },
          milliseconds - (performance.now() - start)
        )
    })
    const sending = { wasSent: false, timer: bound(connect), late }
    const stands = () => {
      clearTimeout(sending.timer)
      sending.wasSent = true
      sending.timer = bound(answer)
    }
    request.once('socket', (socket) => {
      if (socket.connecting) socket.once(this.#isSecure ? 'secureConnect' : 'connect', stands)
      else stands()
    })
    return sending
  }
}

function answerOf (request: ClientRequest, body: string | undefined): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      textOf(response).then((text) => { resolve([response.statusCode!, text]) }, reject)
    })
    request.end(body)
  })
}
