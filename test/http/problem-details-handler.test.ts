import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { problemDetailsHandler, type ProblemDetailsHandlerOptions } from 'fastify-if-match'
import { offersApp, seed, send } from '../support/offers-app.js'

const STALE = { 'if-match': '"stale"' }

/** An app with the handler, and the lines of its log. */
async function problemApp (
  t: Test,
  options?: ProblemDetailsHandlerOptions,
  prepare: (app: FastifyInstance) => unknown = () => {},
  serverOptions = {}
) {
  const lines: Array<Record<string, any>> = []
  const logger = { stream: { write: (line: string) => { lines.push(JSON.parse(line)) } } }
  const { app, storage } = await offersApp(t, {}, (app) => {
    app.setErrorHandler(problemDetailsHandler(options))
    return prepare(app)
  }, { logger, ...serverOptions })
  const etag = await seed(storage)
  return { app, etag, errors: () => lines.filter(({ err }) => err !== undefined) }
}

await t.test('the handler answers a refusal with problem details, beside the headers of its status (RFC 9457 3)', async (t) => {
  const { app, etag, errors } = await problemApp(t, { instance: ({ url }) => url })
  const { statusCode, headers, body } = await send(app, 'PUT /offers/1', STALE)
  t.match(headers, { etag, 'cache-control': 'no-store', 'content-type': /^application\/problem\+json/ })
  t.match(JSON.parse(body), { type: /#mismatch$/, status: statusCode, field: 'If-Match', etag, instance: '/offers/1' })
  t.match(errors(), [{ level: 30, err: { code: 'FST_IF_MATCH_PRECONDITION_FAILED' }, res: { statusCode: 412 } }])
  const missing = await send(app, 'PUT /offers/1')
  t.match(missing.json(), { type: /#missing$/, status: 400, field: 'If-Match' })
})

await t.test('the handler answers any error: of validation, of the app, of Fastify, and what is no error', async (t) => {
  const body = { type: 'object', required: ['title'], properties: { title: { type: 'string' } } }
  const response = { '4xx': { type: 'object', properties: { other: { type: 'string' } }, required: ['other'] } }
  const { app, errors } = await problemApp(t, { base: '/problems/' }, (app) => {
    app.post('/valid', { schema: { body, response } }, async () => 'never')
    app.get('/own', async () => { throw Object.assign(new Error('not yours'), { status: 403 }) })
    app.get('/headers', async () => {
      throw Object.assign(new Error('slowly'), { statusCode: 429, headers: { 'retry-after': '9' } })
    })
    app.get('/bug', async () => { throw new TypeError('password=hunter2') })
    for (const [url, thrown] of Object.entries({
      '/text': 'password=hunter2',
      '/nothing': null,
      '/no-text': { statusCode: 400, message: { toString: 1, valueOf: 1 } },
      '/no-status': { statusCode: 404.5, message: 'password=hunter2' }
    })) {
      app.get(url, async () => { throw thrown })
    }
    app.get('/coded', async (_request, reply) => {
      reply.code(409)
      throw new Error('as the reply says')
    })
    app.get('/serialised', async (_request, reply) => {
      reply.serializer(() => 'of another form')
      throw new Error('no')
    })
  })
  for (const [request, status, detail] of [
    ['POST /valid', 400, "body must have required property 'title'"],
    ['GET /own', 403, 'not yours'],
    ['GET /headers', 429, 'slowly'],
    ['GET /bug', 500, 'Internal Server Error'],
    ['GET /text', 500, 'Internal Server Error'],
    ['GET /nothing', 500, 'Internal Server Error'],
    ['GET /no-text', 400, ''],
    ['GET /no-status', 500, 'Internal Server Error'],
    ['GET /coded', 409, 'as the reply says'],
    ['GET /serialised', 500, 'Internal Server Error']
  ] as const) {
    const answer = await send(app, request)
    t.match(answer.headers['content-type'], /^application\/problem\+json/, request)
    t.match(JSON.parse(answer.body), { type: 'about:blank', status, detail }, request)
    t.equal(answer.statusCode, status, request)
    t.equal(JSON.parse(answer.body).instance, undefined)
    if (status === 429) t.equal(answer.headers['retry-after'], '9')
  }
  const bug = errors().find(({ err }) => err.message === 'password=hunter2')!
  t.match([bug.level, bug.err.stack, bug.req.method], [50, /at /, 'GET'], 'the log has what the client is not told')
})

await t.test('the handler logs nothing where the app wants no lines of requests', async (t) => {
  const { app, errors } = await problemApp(t, undefined, undefined, { disableRequestLogging: true })
  t.equal((await send(app, 'PUT /offers/1', STALE)).statusCode, 412)
  t.same(errors(), [])
})

await t.test('the handler of a route, and of a scope', async (t) => {
  const { app } = await problemApp(t, {}, (app) => {
    app.put('/own/:id', {
      config: { ifMatch: { key: '/offers/:id' } },
      errorHandler: problemDetailsHandler({ base: 'https://example.com/problems/' })
    }, async (request) => await request.entity().replace({}))
  })
  t.match((await send(app, 'PUT /own/1', STALE)).json(), { type: 'https://example.com/problems/mismatch' })
  t.match((await send(app, 'PUT /offers/1', STALE)).json(), { type: /#mismatch$/ })
})
