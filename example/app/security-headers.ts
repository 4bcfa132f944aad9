import type { FastifyInstance } from 'fastify'

/**
 * Tells browsers to take an answer for what it says it is, and to run, frame and share nothing of it: the API serves
 * data. HSTS is missing: this server speaks plain HTTP, so the proxy that ends TLS sends it.
 */
export const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
} as const

/** Sends them with every answer. A route that serves a page sets a policy of its own over that. */
export function sendSecurityHeaders (app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => { reply.headers(SECURITY_HEADERS) })
}
