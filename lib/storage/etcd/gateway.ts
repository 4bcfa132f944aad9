import { within } from '../kit/deadline.js'
import { EtcdEndpoint, type EtcdTls } from './endpoint.js'
import { EtcdFault, strangeAnswer } from './faults.js'

/** A user of etcd and the password. */
export interface EtcdAuth { user: string, password: string }

/** Whom to ask, how, and how long to wait in milliseconds. */
export interface EtcdGatewayOptions {
  endpoints: readonly string[]
  tls?: EtcdTls | undefined
  auth?: EtcdAuth | undefined
  timeout: number
}

interface GatewayRequest {
  readonly path: string
  /** Undefined for a GET. */
  readonly body: object | undefined
  /** After a lost answer a read may go to another endpoint; a write may not (engine-facts#etcd-endpoint-failover). */
  readonly isRead: boolean
}

// In less time than this, in milliseconds, no endpoint answers. Timers may be early by as much.
const LEAST_TIME = 10

/**
 * A small client of the JSON gateway of etcd. A call sends its request once, and again only if the first one certainly
 * changed nothing.
 */
export class EtcdGateway {
  readonly #endpoints: readonly EtcdEndpoint[]
  readonly #auth: EtcdAuth | undefined
  readonly #timeout: number
  /** The index of the endpoint that is asked. */
  #current = 0
  #token: Promise<string> | undefined

  constructor ({ endpoints, tls, auth, timeout }: EtcdGatewayOptions) {
    this.#endpoints = endpoints.map((origin) => new EtcdEndpoint(origin, tls))
    this.#auth = auth
    this.#timeout = timeout
  }

  /**
   * Sends a request that changes nothing.
   *
   * @throws EtcdFault
   */
  async read (path: string, body?: object): Promise<unknown> {
    return await this.#withLogin({ path, body, isRead: true })
  }

  /**
   * Sends a transaction that changes something.
   *
   * @throws EtcdFault; its `isCertain` tells whether the transaction may have been carried out all the same
   */
  async write (path: string, body: object): Promise<unknown> {
    return await this.#withLogin({ path, body, isRead: false })
  }

  close (): void {
    for (const endpoint of this.#endpoints) endpoint.close()
  }

  // etcd finds an expired token before it proposes anything, so the request may go again
  // (engine-facts#etcd-auth-token).
  async #withLogin (request: GatewayRequest): Promise<unknown> {
    const deadline = performance.now() + this.#timeout
    const token = this.#login()
    try {
      return await this.#send(request, await before(deadline, token), deadline)
    } catch (error) {
      if (token === undefined || (error as EtcdFault).kind !== 'TOKEN') throw error
      if (this.#token === token) this.#token = undefined
      return await this.#send(request, await before(deadline, this.#login()), deadline)
    }
  }

  // All callers share one login. If it fails, none of their requests was sent.
  #login (): Promise<string> | undefined {
    if (this.#auth === undefined) return undefined
    this.#token ??= this.#authenticate(this.#auth).catch((error: EtcdFault) => {
      this.#token = undefined
      throw error.isCertain ? error : new EtcdFault('UNREACHABLE', 'the login failed', { cause: error })
    })
    return this.#token
  }

  async #authenticate ({ user, password }: EtcdAuth): Promise<string> {
    const request = { path: '/v3/auth/authenticate', body: { name: user, password }, isRead: true }
    const deadline = performance.now() + this.#timeout
    const answer = await this.#send(request, undefined, deadline) as { token?: unknown } | null
    if (typeof answer?.token !== 'string') throw strangeAnswer()
    return answer.token
  }

  async #send (
    { path, body, isRead }: GatewayRequest, token: string | undefined, deadline: number
  ): Promise<unknown> {
    const text = body && JSON.stringify(body)
    // A read comes back to the endpoint where it began: its kept connection may have been stale, and the next one is
    // new.
    let attempts = this.#endpoints.length + (isRead ? 1 : 0)
    while (true) {
      const index = this.#current
      const time = deadline - performance.now()
      // The endpoints that are left share the time; a write that was sent has all of it.
      const share = time / Math.min(attempts, this.#endpoints.length)
      try {
        const bounds = { connect: share, answer: isRead ? share : time }
        return parsed(await this.#endpoints[index]!.post(path, text, token, bounds))
      } catch (error) {
        const fault = error as EtcdFault
        if (!fault.isOfEndpoint) throw fault
        this.#turnFrom(index)
        const mayGoAgain = isRead || fault.isCertain
        if (!mayGoAgain || --attempts === 0 || deadline - performance.now() < LEAST_TIME) throw fault
      }
    }
  }

  // Many calls may find the same endpoint at fault; only the first of them turns to the next one.
  #turnFrom (index: number): void {
    this.#endpoints[index]!.forget()
    if (this.#current === index) this.#current = (index + 1) % this.#endpoints.length
  }
}

// A call may have come to a login that began long before it, so the wait has the bound of the call.
async function before (deadline: number, token: Promise<string> | undefined): Promise<string | undefined> {
  if (token === undefined) return undefined
  const late = (): Error => new EtcdFault('UNREACHABLE', 'the login takes too long.')
  return await within(deadline - performance.now(), token, late)
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw strangeAnswer()
  }
}
