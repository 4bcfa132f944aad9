import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { AppOptions } from '../../../example/app/index.js'
import { newApp, OFFER, offersUrl, send } from './app.js'

/** How long a step of a publication takes at the servers of these tests. */
export const STEP = 1000

/** How many steps it is from publish to the sign-off. */
export const TO_SIGN_OFF = 4

export type Headers = Record<string, string | undefined>

/** A publisher at a server whose clock the test moves. */
export interface Publisher {
  app: FastifyInstance
  /** Sends to an address below the offers of contoso. */
  send: (
    method: 'GET' | 'HEAD' | 'PUT' | 'POST',
    path: string,
    headers?: Headers,
    payload?: unknown
  ) => Promise<LightMyRequestResponse>
  /** The body of a GET. */
  get: (path: string) => Promise<any>
  /** Writes the offer with `*`, and returns its tag. */
  put: (document?: object, path?: string) => Promise<string>
  /** POSTs to the offer, with `*` unless the headers say otherwise. */
  act: (
    action: 'publish' | 'golive' | 'cancel',
    headers?: Headers,
    payload?: unknown
  ) => Promise<LightMyRequestResponse>
  /** Moves the clock by so many steps of a publication. */
  pass: (steps: number) => void
}

export async function newPublisher (t: Test, options: Partial<AppOptions> = {}): Promise<Publisher> {
  let now = Date.parse('2031-04-02T09:15:06.987Z')
  const app = await newApp(t, { clock: () => now, stepMs: STEP, ...options })
  const request: Publisher['send'] = async (method, path, headers, payload) => {
    const [address, query] = path.split('?')
    return await send(app, method, offersUrl(address, query && `${query}&api-version=2017-10-31`), headers, payload)
  }
  return {
    app,
    send: request,
    get: async (path) => (await request('GET', path)).json(),
    put: async (document = OFFER, path = '/tide-db') =>
      (await request('PUT', path, { 'if-match': '*' }, document)).headers.etag as string,
    act: async (action, headers = { 'if-match': '*' }, payload = undefined) =>
      await request('POST', `/tide-db/${action}`, headers, payload),
    pass: (steps) => { now += steps * STEP }
  }
}
