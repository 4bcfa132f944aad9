import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { AppOptions } from '../../../example/app/index.js'
import { until } from '../until.js'
import { newApp } from './app.js'

/** The length of a step for clients that poll in real time, in milliseconds. */
const SHORT_STEP = 5

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

/** A client with these headers on every request; a header of a single request takes the place of its own. */
export function clientOf (origin: string, always: Record<string, string>): Client {
  return async (method, path, headers = {}, document) =>
    await fetch(origin + path, {
      method,
      headers: { ...always, ...headers },
      ...(document !== undefined && { body: JSON.stringify(document) })
    })
}

/** Asks until an answer is accepted, and gives that one. */
export async function poll<T extends object> (ask: () => Promise<T>, accepts: (answer: T) => boolean): Promise<T> {
  return await until(`an answer that is accepted by ${accepts}`, async () => {
    const answer = await ask()
    return accepts(answer) ? answer : undefined
  })
}
