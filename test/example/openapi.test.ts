import { Type } from '@fastify/type-provider-typebox'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { openApi } from '../../example/openapi.js'
import { OfferDocumentSchema, OfferParamsSchema, PublisherParamsSchema } from '../../example/offers/schemas.js'
import { newApp } from '../helper/offers-app.js'
import { checkDocument, headersOf, type Document, type Operation } from '../helper/openapi.js'

const OFFER_URL = '/api/publishers/{publisherId}/offers/{offerId}'

/** A small app with the schemas of the real one, and its document as a client gets it. */
async function documentedApp (t: Test): Promise<{ app: FastifyInstance, document: Document, operation: (method: string, path?: string) => Operation }> {
  const app = newApp(t)
  await app.register(openApi)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.get('/health', { config: { openApi: { response: { 200: Type.Object({}) } } } }, async () => ({ status: 'ok' }))
  await app.register(async (api) => {
    const config = { ifMatch: true }
    const schema = { params: OfferParamsSchema }
    api.get('/', { schema: { params: PublisherParamsSchema, querystring: Type.Object({ limit: Type.Integer() }) } }, async () => [])
    api.get('/:offerId', { config: { ...config, openApi: { summary: 'Read', response: { 200: OfferDocumentSchema } } }, schema }, async () => ({ kept: 1 }))
    api.put('/:offerId', { config, schema: { ...schema, body: OfferDocumentSchema, tags: ['Own'] } }, async () => ({}))
  }, { prefix: '/api/publishers/:publisherId/offers' })
  const document = (await app.inject('/docs/json')).json<Document>()
  return { app, document, operation: (method, path = OFFER_URL) => document.paths[path]![method]! }
}

await t.test('openapi: the document is valid OpenAPI 3.0, served without a token, and has no routes of its own', async (t) => {
  const { document } = await documentedApp(t)
  await checkDocument(t, document, '3.0')
  t.strictSame(Object.keys(document.paths), ['/health', '/api/publishers/{publisherId}/offers/', OFFER_URL])
})

await t.test('openapi: routes of the API ask for a bearer token and the version, others for neither', async (t) => {
  const { operation } = await documentedApp(t)
  const asked = (of: unknown): unknown => {
    const { security, tags, parameters = [] } = of as { security?: unknown, tags: string[], parameters?: Array<{ in: string, name: string, required: boolean }> }
    return { security, tags, query: parameters.filter((parameter) => parameter.in === 'query').map(({ name, required }) => [name, required]) }
  }
  t.strictSame(asked(operation('get', '/health')), { security: undefined, tags: ['Server'], query: [] })
  t.strictSame(asked(operation('get')), { security: [{ bearer: [] }], tags: ['Offers'], query: [['api-version', true]] })
  t.strictSame(asked(operation('get', '/api/publishers/{publisherId}/offers/')), { security: [{ bearer: [] }], tags: ['Offers'], query: [['api-version', true], ['limit', true]] })
  t.strictSame(Object.keys(operation('get', '/api/publishers/{publisherId}/offers/').responses), ['200', '4XX', '5XX'], 'a success that nobody describes')
  t.strictSame((asked(operation('put')) as { tags: string[] }).tags, ['Own'])
})

await t.test('openapi: guarded routes show their headers, and 400 and 412 in the form of every error (CPP §2)', async (t) => {
  const { operation, document } = await documentedApp(t)
  t.strictSame(headersOf(operation('put')), { 'If-Match': false, 'If-None-Match': false })
  t.strictSame(Object.keys(operation('get').responses), ['200', '304', '400', '412', '4XX', '5XX'])
  for (const status of ['400', '412', '4XX', '5XX']) {
    t.strictSame(operation('put').responses[status]!.content, { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }, status)
  }
  t.ok((document as unknown as { components: { schemas: { Error: object } } }).components.schemas.Error)
})

await t.test('openapi: an answer that config.openApi describes is in the document, and is not serialised by it', async (t) => {
  const { app, operation } = await documentedApp(t)
  t.match(operation('get'), { summary: 'Read', responses: { 200: { content: { 'application/json': { schema: { required: ['offerTypeId'] } } }, headers: { ETag: {} } } } })
  t.strictSame((await app.inject('/health')).json(), { status: 'ok' })
})

await t.test('openapi: the page is served at /docs, and its policy lets it run its own files alone', async (t) => {
  const { app } = await documentedApp(t)
  for (const url of ['/docs', '/docs/', '/docs/static/swagger-ui-bundle.js', '/docs/static/swagger-initializer.js', '/docs/static/swagger-ui.css', '/docs/yaml']) {
    const { statusCode, headers } = await app.inject(url)
    t.equal(statusCode, 200, url)
    t.match(headers['content-security-policy'], /default-src 'none'; script-src 'self';/, url)
  }
  t.notMatch((await app.inject('/docs/')).body, /<script(?![^>]* src=)|<style| on[a-z]+=/, 'nothing inline')
})
