// Documents of whole apps, as @fastify/swagger makes them with our transform.
import type { FastifyInstance, FastifySchema } from 'fastify'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import ifMatch from 'fastify-if-match'
import { transform, type TransformInput, type TransformResult } from 'fastify-if-match/openapi'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { addOfferRoutes, newApp, seed, send } from '../support/offers-app.js'
import { checkDocument, documentOf, headersOf, OPENAPI_30, OPENAPI_31, SWAGGER_2 } from '../support/openapi.js'

const Failure = Type.Object({ code: Type.String(), message: Type.String() })
const Offer = Type.Object({ title: Type.String() })

await t.test('@fastify/swagger may be registered before or after, and prefixes and HEAD twins are described', async (t) => {
  for (const swaggerLast of [false, true]) {
    const { document: { paths } } = await documentOf(t, (app) => {
      void app.register(async (scope) => { addOfferRoutes(scope) }, { prefix: '/v1' })
    }, { swaggerLast, swagger: { exposeHeadRoutes: true } })
    t.strictSame(headersOf(paths['/v1/offers/{id}']!.delete), { 'If-Match': true })
    t.strictSame(headersOf(paths['/v1/offers/{id}']!.head), { 'If-Match': false, 'If-None-Match': false })
  }
})

await t.test('a HEAD twin with an operationId is described if @fastify/swagger is registered last', async (t) => {
  const { document: { paths } } = await documentOf(t, (app) => {
    app.get('/a', { config: { ifMatch: true }, schema: { operationId: 'a' } }, async () => ({}))
  }, { swaggerLast: true, swagger: { exposeHeadRoutes: true } })
  t.strictSame(headersOf(paths['/a']!.head), { 'If-Match': false, 'If-None-Match': false })
})

await t.test('a transform of the app may call ours on a schema that it made: the answers there count as those of the route', async (t) => {
  const around = ({ schema, url, ...others }: TransformInput): TransformResult => transform({
    ...others,
    url: `/api${url}`,
    schema: { ...schema, tags: ['offers'], response: { '4xx': Failure } }
  })
  const { document } = await documentOf(t, addOfferRoutes, { swagger: { transform: around } })
  const patch = document.paths['/api/offers/{id}']!.patch!
  t.strictSame(patch.responses['412']!.content, { 'application/json': { schema: JSON.parse(JSON.stringify(Failure)) } })
  t.strictSame((patch as unknown as { tags: string[] }).tags, ['offers'])
})

/** Every kind of route, with schemas that their authors may write. */
function addAllKinds (app: FastifyInstance): void {
  addOfferRoutes(app)
  app.addSchema({ $id: 'failure', ...Failure })
  app.get('/plain', async () => ({}))
  app.get('/described/:id', {
    config: { ifMatch: true },
    schema: { summary: 'Read', tags: ['offers'], response: { 200: Offer, default: { $ref: 'failure#' } } }
  }, async () => ({}))
  app.put('/described/:id', {
    config: { ifMatch: { missing: 428, create: 'wildcard' } },
    schema: {
      body: Offer,
      headers: Type.Object({ 'x-trace': Type.String() }),
      response: { '2xx': Offer, '4xx': Failure }
    }
  }, async () => ({}))
  app.route({
    method: ['GET', 'PUT', 'DELETE'],
    url: '/mixed',
    config: { ifMatch: { missing: 'allow' } },
    schema: {
      response: {
        204: { type: 'null', description: 'Done' },
        '4xx': { description: 'Problem', content: { 'application/problem+json': { schema: Failure } } }
      }
    },
    handler: async () => ({})
  })
}

await t.test('the document is valid OpenAPI 3.0 and 3.1, and Swagger 2.0', async (t) => {
  for (const [version, swagger] of [['3.0', OPENAPI_30], ['3.1', OPENAPI_31]] as const) {
    const { document } = await documentOf(t, addAllKinds, { swagger: { ...swagger, exposeHeadRoutes: true } })
    await checkDocument(t, document, version)
  }
  const { document } = await documentOf(t, addOfferRoutes, { swagger: SWAGGER_2 })
  await checkDocument(t, document, '2.0')
  t.strictSame(Object.keys(document.paths['/offers/{id}']!.get!.responses), ['200', '304', '400', '412'])
})

function freeze<T> (value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Reflect.ownKeys(value).forEach((key) => freeze((value as Record<PropertyKey, unknown>)[key]))
  }
  return value
}

await t.test('the schema object of a route is not touched', async (t) => {
  t.plan(2)
  const schema = freeze({
    headers: { type: 'object', properties: {}, required: [] },
    response: { 200: { type: 'object', headers: {} }, '4xx': Failure }
  })
  const app = newApp(t)
  await app.register(ifMatch, { storage: memoryAdapter() })
  app.addHook('onRoute', (route) => {
    const before = JSON.stringify(schema)
    t.not(transform({ schema, url: route.url, route }).schema, schema)
    t.equal(JSON.stringify(schema), before)
  })
  app.put('/a', { config: { ifMatch: true } }, async () => ({}))
  await app.ready()
})

await t.test('validation and serialisation are the same with the document and without it', async (t) => {
  const asItIs = ({ schema, url }: { schema: FastifySchema, url: string }) => ({ schema, url })
  const answers = async (transforms: boolean): Promise<Array<[number, object]>> => {
    const storage = memoryAdapter()
    const { app } = await documentOf(t, (app) => {
      const schema = { response: { '4xx': Failure, 200: Offer } }
      app.patch('/offers/:id', { config: { ifMatch: true }, schema }, async (request) =>
        (await request.entity<object>().update((offer) => ({ ...offer, extra: 1 }))).value)
    }, { plugin: { storage }, ...(!transforms && { swagger: { transform: asItIs } }) })
    await seed(storage)
    const answer = async (headers: object): Promise<[number, object]> => {
      const response = await send(app, 'PATCH /offers/1', { ...headers })
      return [response.statusCode, response.json()]
    }
    return [
      await answer({}),
      await answer({ 'if-match': '"x"' }),
      await answer({ 'if-match': 'x' }),
      await answer({ 'if-match': '*' })
    ]
  }
  const described = await answers(true)
  t.strictSame(described, await answers(false))
  t.match(described, [
    [400, { code: 'FST_IF_MATCH_REQUIRED' }],
    [412, { code: 'FST_IF_MATCH_PRECONDITION_FAILED' }],
    [400, { code: 'FST_IF_MATCH_MALFORMED' }],
    [200, { title: 'seeded' }]
  ])
  for (const [status, body] of described.slice(0, 3)) {
    t.strictSame(Object.keys(body), ['code', 'message'], `${status}: by the 4xx schema of the route`)
  }
})
