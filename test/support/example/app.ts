import { Writable } from 'node:stream'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { buildApp, type AppOptions } from '../../../example/app/index.js'
import { parseTokens } from '../../../example/app/tokens.js'
import { newStorage } from './storage.js'

export const TYPE = 'microsoft-azure-virtualmachines'
export const OFFER = {
  offerTypeId: TYPE,
  definition: { displayText: 'Tide DB', plans: [{ planId: 'small', regions: ['FI'] }] }
}

/** The reference server, closed when the test ends. */
export async function newApp (t: Test, options: Partial<AppOptions> = {}): Promise<FastifyInstance> {
  const app = await buildApp({
    storage: options.storage ?? await newStorage(t),
    tokens: parseTokens('contoso-token=contoso:owner,fabrikam-token=fabrikam:contributor'),
    ...options
  })
  t.teardown(async () => { await app.close() })
  return app
}

/** The reference server, the lines of its log, and those of them that belong to requests, parsed. */
export async function loggedApp (t: Test, options: Partial<AppOptions> = {}) {
  const lines: string[] = []
  const stream = new Writable({ write (chunk, _encoding, done) { lines.push(String(chunk)); done() } })
  const app = await newApp(t, { logger: { level: 'trace', stream }, ...options })
  const logged = () => lines.map((line) => JSON.parse(line)).filter(({ reqId }) => reqId !== undefined)
  return { app, lines, logged }
}

/** The address of the offers of contoso, or of a path below it. */
export function offersUrl (path = '', query = 'api-version=2017-10-31'): string {
  return `/api/publishers/contoso/offers${path}?${query}`
}

/** Sends a request with the token of contoso; a header that is undefined is left out. */
export async function send (
  app: FastifyInstance,
  method: NonNullable<InjectOptions['method']>,
  url: string,
  headers: Record<string, string | undefined> = {},
  payload?: unknown
): Promise<LightMyRequestResponse> {
  const all = { authorization: 'Bearer contoso-token', ...headers }
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return await app.inject({
    method,
    url,
    headers: Object.fromEntries(sent),
    payload: payload as NonNullable<InjectOptions['payload']>
  })
}

/** The code of a refusal, whose form is asserted. */
export function codeOf (t: Test, response: LightMyRequestResponse): string {
  const { error, ...rest } = response.json()
  t.match(error, { code: String, message: /\w/ })
  t.strictSame([Object.keys(error), rest], [['code', 'message'], {}])
  return error.code
}
