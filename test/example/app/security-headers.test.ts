import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { answerError } from '../../../example/app/errors.js'
import { answerNoRoute } from '../../../example/app/no-route.js'
import { openApi } from '../../../example/app/openapi.js'
import { sendSecurityHeaders } from '../../../example/app/security-headers.js'
import { addOfferRoutes, newApp, seed } from '../../support/offers-app.js'

const API_POLICY = "default-src 'none';frame-ancestors 'none'"

async function securedApp (t: Test): Promise<{ app: FastifyInstance, etag: string }> {
  const app = newApp(t)
  const storage = memoryAdapter()
  app.setErrorHandler(answerError)
  answerNoRoute(app)
  sendSecurityHeaders(app)
  await app.register(openApi, { schemas: [] })
  await app.register(ifMatch, { storage })
  addOfferRoutes(app)
  app.get('/failing', async () => { throw new Error('hush') })
  app.get('/page', async (_request, reply) => reply.header('content-security-policy', "default-src 'self'").send(''))
  return { app, etag: await seed(storage) }
}

await t.test('security headers: on every answer, refusals and 304 included', async (t) => {
  const { app, etag } = await securedApp(t)
  const requests = [
    [200, { url: '/offers/1' }],
    [304, { url: '/offers/1', headers: { 'if-none-match': etag } }],
    [404, { url: '/offers/2' }],
    [404, { url: '/nowhere' }],
    [400, { method: 'DELETE', url: '/offers/1' }],
    [412, { method: 'DELETE', url: '/offers/1', headers: { 'if-match': '"x"' } }],
    [500, { url: '/failing' }]
  ] as const
  for (const [status, request] of requests) {
    const { statusCode, headers } = await app.inject(request)
    t.equal(statusCode, status)
    t.match(
      headers,
      {
        'content-security-policy': API_POLICY,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin'
      },
      `${status} ${request.url}`
    )
    t.equal(headers['strict-transport-security'], undefined)
  }
})

await t.test('security headers: the cache-control of the plugin stays (RFC 9111 5.2.2.4, 5.2.2.5)', async (t) => {
  const { app } = await securedApp(t)
  t.equal((await app.inject('/offers/1')).headers['cache-control'], 'no-cache')
  t.equal((await app.inject({ method: 'DELETE', url: '/offers/1' })).headers['cache-control'], 'no-store')
})

await t.test('security headers: a page has the policy that it needs, and the other headers', async (t) => {
  const { app } = await securedApp(t)
  for (const [url, policy] of [
    ['/docs/', /script-src 'self'/],
    ['/docs/static/swagger-ui.css', /script-src 'self'/],
    ['/page', /^default-src 'self'$/]
  ] as const) {
    const { headers } = await app.inject(url)
    t.match(headers['content-security-policy'], policy)
    t.strictSame([headers['x-content-type-options'], headers['x-frame-options']], ['nosniff', 'DENY'])
  }
})
