import { constants } from 'node:buffer'
import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import { EtcdFault, faultOfAnswer } from './faults.js'

/** The settings of TLS, in PEM, as `tls.connect` of Node takes them. */
export interface EtcdTls {
  /** The certificates of the authorities that sign the servers' (default: those that Node knows). */
  ca?: string | Buffer | Array<string | Buffer> | undefined
  /** The certificate of the client. */
  cert?: string | Buffer | undefined
  /** The key of the client's certificate. */
  key?: string | Buffer | undefined
  /** The name in the servers' certificates, if it is not the host of the URL. */
  servername?: string | undefined
}

/**
 * How long a request may take, in milliseconds from its start: until its connection stands, and until it is answered.
 */
export interface EtcdBounds { connect: number, answer: number }

const SOCKETS = { keepAlive: true, maxSockets: 64 }

/** The JSON gateway of one member, over connections that are kept. */
export class EtcdEndpoint {
  readonly #origin: string
  readonly #isSecure: boolean
  readonly #agent: HttpAgent | HttpsAgent
  readonly #target: RequestOptions

  constructor (origin: string, tls: EtcdTls = {}) {
    this.#origin = origin
    this.#isSecure = origin.startsWith('https:')
    this.#agent = this.#isSecure ? new HttpsAgent({ ...SOCKETS, ...tls }) : new HttpAgent(SOCKETS)
    const { protocol, hostname, port } = urlToHttpOptions(new URL(origin))
    this.#target = { protocol, hostname, port, agent: this.#agent }
  }

  /**
   * Sends a request once, as a GET if there is no body, and gives the text of the answer.
   *
   * @throws EtcdFault
   */
  async post (path: string, body: string | undefined, token: string | undefined, bounds: EtcdBounds): Promise<string> {
    const request = (this.#isSecure ? httpsRequest : httpRequest)({
      ...this.#target,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...body !== undefined && { 'content-length': Buffer.byteLength(body) },
        ...token !== undefined && { authorization: token }
      }
    })
    return await new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        watch.end()
        reject(this.#fault(watch.wasSent, cause))
      }
      const watch = new RequestWatch(request, this.#isSecure, bounds, fail)
      request.on('error', fail)
      request.on('response', (response) => {
        takeText(response, fail, (text) => {
          watch.end()
          if (response.statusCode === 200) resolve(text)
          else reject(faultOfAnswer(response.statusCode!, text))
        })
      })
      request.end(body)
    })
  }

  /** Drops the idle connections: where one is half-open the others probably are, too. */
  forget (): void {
    for (const socket of Object.values(this.#agent.freeSockets).flat()) socket!.destroy()
  }

  close (): void {
    this.#agent.destroy()
  }

  #fault (wasSent: boolean, cause: Error): EtcdFault {
    return wasSent
      ? new EtcdFault('LOST', `${this.#origin} gave no answer: ${cause.message}`, { cause })
      : new EtcdFault('UNREACHABLE', `${this.#origin} cannot be reached: ${cause.message}`, { cause })
  }
}

/** Knows whether a request was sent, and ends it when it takes too long. */
class RequestWatch {
  /** Nothing is sent before the connection stands (engine-facts#node-request-before-connect). */
  wasSent = false
  readonly #destroy: (error: Error) => void
  readonly #start = performance.now()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param fail is told when the time is over. The events of the request do not tell that in all cases
   *   (engine-facts#node-agent-queue, engine-facts#node-upgrade-no-end)
   */
  constructor (
    request: ClientRequest, isSecure: boolean, { connect, answer }: EtcdBounds, fail: (error: Error) => void
  ) {
    this.#destroy = (error) => {
      request.destroy(error)
      fail(error)
    }
    this.#endAfter(connect)
    const stands = (): void => {
      this.wasSent = true
      if (answer !== connect) this.#endAfter(answer)
    }
    // `reusedSocket` of the request would not tell in all cases (engine-facts#node-reused-socket).
    request.once('socket', (socket) => {
      if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', stands)
      else stands()
    })
  }

  end (): void {
    clearTimeout(this.#timer)
  }

  /** @param bound milliseconds from the start of the request */
  #endAfter (bound: number): void {
    clearTimeout(this.#timer)
    const late = (): void => { this.#destroy(new Error(`it took longer than ${Math.round(bound)} ms`)) }
    this.#timer = setTimeout(late, bound - (performance.now() - this.#start))
  }
}

// By events, which cost less than an iterator.
function takeText (response: IncomingMessage, fail: (error: Error) => void, take: (text: string) => void): void {
  let text = ''
  response.setEncoding('utf8')
  response.on('error', fail)
  response.on('data', (part: string) => {
    // Behind an event nobody catches what is thrown, and it would end the process.
    if (text.length + part.length <= constants.MAX_STRING_LENGTH) text += part
    else response.destroy(new Error('the answer is longer than a text can be'))
  })
  response.on('end', () => { take(text) })
}
