import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { DEVELOPMENT_TOKENS, parseTokens } from '../../../example/app/tokens.js'
import type { AppOptions } from '../../../example/app/index.js'
import { newApp, offersUrl } from '../example/app.js'

export const DOCUMENT = {
  offerTypeId: 'microsoft-azure-virtualmachines',
  definition: {
    displayText: 'Reef DB',
    offer: { 'microsoft-azure-marketplace.summary': 'A database', support: { phone: '112' } },
    plans: [{ planId: 'small', regions: ['FI'] }]
  }
}

/**
 * The reference server with the development tokens, listening, and calls past the page.
 *
 * @param extend adds to it before it listens
 */
export async function deskServer (
  t: Test, options: Partial<AppOptions> = {}, extend: (app: FastifyInstance) => Promise<void> = async () => {}
) {
  const app = await newApp(t, { tokens: parseTokens(DEVELOPMENT_TOKENS), ...options })
  await extend(app)
  const port = (options as { port?: number }).port ?? 0
  await app.listen({ host: '127.0.0.1', port })
  const { port: taken } = app.server.address() as AddressInfo
  return { app, address: `http://127.0.0.1:${taken}/`, ...callsOf(app) }
}

function callsOf (app: FastifyInstance) {
  const headers = { authorization: 'Bearer dev-contoso' }
  return {
    /** Stores a document past the page. Returns its tag. */
    put: async (id: string, document: object): Promise<string> => {
      const response = await app.inject({
        method: 'PUT', url: offersUrl(`/${id}`), headers: { ...headers, 'if-match': '*' }, payload: document
      })
      if (response.statusCode >= 300) throw new Error(response.body)
      return String(response.headers.etag)
    },
    /** What the server has. */
    get: async (id: string): Promise<Record<string, unknown>> =>
      (await app.inject({ url: offersUrl(`/${id}`), headers })).json()
  }
}
