import { EtcdEndpoint, type EtcdTls } from './endpoint.js'
import { EtcdFault, strangeAnswer } from './faults.js'
import { within } from '../kit/deadline.js'

/** A user of etcd and the password. */
export interface EtcdAuth { user: string, password: string }

/** Whom to ask, how, and how long to wait. */
export interface EtcdGatewayOptions {
  endpoints: readonly string[]
  tls?: EtcdTls | undefined
  auth?: EtcdAuth | undefined
  timeout: number
}

/** A request whose repetition changes nothing may go to another endpoint after any failure; another one may not (E3, E58). */
type Repeatable = 'read' | 'write'

// In less, nobody answers; timers may be early by that, too.
const LEAST = 10

/** Thin client of the v3 JSON gateway: one call is one request, apart from what certainly did nothing. */
export class EtcdGateway {
  readonly #endpoints: readonly EtcdEndpoint[]
  readonly #auth: EtcdAuth | undefined
  readonly #timeout: number
  #at = 0
  #token: Promise<string> | undefined

  constructor ({ endpoints, tls, auth, timeout }: EtcdGatewayOptions) {
    this.#endpoints = endpoints.map((origin) => new EtcdEndpoint(origin, tls))
    this.#auth = auth
    this.#timeout = timeout
  }

  /**
   * Asks something that changes nothing.
   *
   * @throws EtcdFault
   */
  async read (path: string, body?: object): Promise<unknown> {
    return await this.#withLogin(path, body, 'read')
  }

  /**
   * Sends a transaction that changes something, once.
   *
   * @throws EtcdFault; whether it may have been carried out all the same, `isCertain` tells
   */
  async write (path: string, body: object): Promise<unknown> {
    return await this.#withLogin(path, body, 'write')
  }

  close (): void {
    for (const endpoint of this.#endpoints) endpoint.close()
  }

  // A token that has expired is found out before anything is proposed, so the request may go again (E59).
  async #withLogin (path: string, body: object | undefined, repeatable: Repeatable): Promise<unknown> {
    const deadline = performance.now() + this.#timeout
    const token = this.#login()
    try {
      return await this.#call(path, body, await before(deadline, token), repeatable, deadline)
    } catch (error) {
      if (token === undefined || (error as EtcdFault).kind !== 'TOKEN') throw error
      if (this.#token === token) this.#token = undefined
      return await this.#call(path, body, await before(deadline, this.#login()), repeatable, deadline)
    }
  }

  // One login at a time, for everybody who waits for it. Where it fails, what it was for was not sent.
  #login (): Promise<string> | undefined {
    if (this.#auth === undefined) return undefined
    this.#token ??= this.#authenticate(this.#auth).catch((error: EtcdFault) => {
      this.#token = undefined
      throw error.isCertain ? error : new EtcdFault('UNREACHABLE', 'the login failed', { cause: error })
    })
    return this.#token
  }

  async #authenticate ({ user, password }: EtcdAuth): Promise<string> {
    const answer = (await this.#call(
      '/v3/auth/authenticate',
      { name: user, password },
      undefined,
      'read',
      performance.now() + this.#timeout
    )) as { token?: unknown } | null
    if (typeof answer?.token !== 'string') throw strangeAnswer()
    return answer.token
  }

  // The time is shared out among the endpoints that are left; a write that was sent has all of it. A read comes back to
  // where it began: a connection that was kept may be stale, and the next one is new.
  async #call (
    path: string,
    body: object | undefined,
    token: string | undefined,
    repeatable: Repeatable,
    deadline: number,
    left = this.#endpoints.length + (repeatable === 'read' ? 1 : 0)
  ): Promise<unknown> {
    const at = this.#at
    const rest = deadline - performance.now()
    const share = rest / Math.min(left, this.#endpoints.length)
    const bounds = { connect: share, answer: repeatable === 'read' ? share : rest }
    try {
      return parsed(await this.#endpoints[at]!.post(path, body && JSON.stringify(body), token, bounds))
    } catch (error) {
      const fault = error as EtcdFault
      if (!fault.isOfEndpoint) throw fault
      this.#turnFrom(at)
      if (left === 1 || deadline - performance.now() < LEAST || (repeatable === 'write' && !fault.isCertain)) { throw fault }
    }
    return await this.#call(path, body, token, repeatable, deadline, left - 1)
  }

  // Many calls may find out at once; the first one turns.
  #turnFrom (at: number): void {
    this.#endpoints[at]!.forget()
    if (this.#at === at) this.#at = (at + 1) % this.#endpoints.length
  }
}

// Others may have waited for this login for a while already.
async function before (deadline: number, token: Promise<string> | undefined): Promise<string | undefined> {
  return (
    token &&
    (await within(deadline - performance.now(), token, () => new EtcdFault('UNREACHABLE', 'the login takes too long.')))
  )
}

// What a proxy says with status 200 is no result.
function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw strangeAnswer()
  }
}
