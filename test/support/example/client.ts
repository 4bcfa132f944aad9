import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { AppOptions } from '../../../example/app/index.js'
import { newApp } from './app.js'

/** The length of a step for clients who poll in real time. */
export const SHORT_STEP = 5

/** How often a client asks before it gives up: far more often than these steps need. */
const ASKED_AT_MOST = 5000

/** How a client speaks: with its own headers on every request, and a body as JSON. */
export type Client = (
  method: string,
  path: string,
  headers?: Record<string, string>,
  document?: unknown
) => Promise<Response>

/** Serves over real HTTP, and resolves to where. */
export async function serveOverHttp (t: Test, options: Partial<AppOptions> = {}): Promise<string> {
  const app = await newApp(t, { stepMs: SHORT_STEP, ...options })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

/** A client with these headers on every request; one of a single request takes the place of its own. */
export function clientOf (origin: string, always: Record<string, string>): Client {
  return async (method, path, headers = {}, document) =>
    await fetch(origin + path, {
      method,
      headers: { ...always, ...headers },
      ...(document !== undefined && { body: JSON.stringify(document) })
    })
}

/** Asks until the answer is the one that is waited for. */
export async function poll<T> (ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  let answer: T
  for (let asked = 0; asked < ASKED_AT_MOST; asked++) {
    answer = await ask()
    if (isIt(answer)) return answer
  }
  throw new Error(`This did not come: ${isIt}. The last answer was ${JSON.stringify(answer!)}`)
}
