import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Tells browsers to take an answer for what it says it is, and to run and frame nothing of it: the API serves data. A
 * route that serves a page has a policy of its own, by the route option `helmet`. Registered on the root ahead of
 * everything that may refuse a request, so that refusals have the headers too.
 */
export const securityHeaders = fp(async (app: FastifyInstance): Promise<void> => {
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
    xFrameOptions: { action: 'deny' },
    // To be said by whoever has the certificate; this server speaks plain HTTP.
    strictTransportSecurity: false
  })
}, { name: 'security-headers' })
