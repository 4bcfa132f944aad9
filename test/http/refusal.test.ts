import { inspect } from 'node:util'
import { serialize } from 'node:v8'
import t, { type Test } from 'tap'
import type { FastifyInstance, RouteHandlerMethod } from 'fastify'
import {
  errorCodes,
  isRefusalError,
  type IfMatchRouteOptions,
  type RefusalError,
  type StorageAdapter
} from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersApp, seed, send, statusOf, tagOf } from '../support/offers-app.js'

const STALE = { 'if-match': '"stale"' }

/** An app that keeps the last error, and lets a test look at it while the request is under way. */
async function refusingApp (
  t: Test,
  options: IfMatchRouteOptions = {},
  look: (error: RefusalError) => unknown = () => {},
  prepare: (app: FastifyInstance) => unknown = () => {}
) {
  let last: RefusalError | undefined
  const made = await offersApp(t, options, async (app) => {
    app.setErrorHandler(async (error, _request, reply) => {
      last = error as RefusalError
      const seen = await look(last)
      return await reply.code(last.statusCode ?? 500).send({ seen })
    })
    await prepare(app)
  })
  return { ...made, error: () => last! }
}

const factsOf = ({ reason, field, isWeak, current, ownWrite }: RefusalError) =>
  ({ reason, field, isWeak, etag: current?.etag, ownWrite })

await t.test('the error of a refusal has its reason, the false field, and the tag of what is there (RFC 9110 13.1)', async (t) => {
  const { app, storage, error } = await refusingApp(t, {}, undefined, (app) => {
    app.post('/new/:id', { config: { ifMatch: { key: '/offers/:id', create: 'if-none-match' } } }, async (request) =>
      await request.entity().create({}))
    app.post('/further/:id', async (request) => {
      const further = request.entity('/offers/1')
      await further.read()
      await seed(storage)
      await further.replace({})
    })
    app.post('/exists', async (request) => await request.entity('/offers/1').create({}))
    app.post('/gone', async (request) => await request.entity('/offers/2').update((offer) => offer))
  })
  const etag = await seed(storage)
  const current = etag.slice(1, -1)
  const mismatch = { reason: 'mismatch', isWeak: false, ownWrite: undefined }
  const exists = { ...mismatch, reason: 'exists' }
  const absent = { ...mismatch, reason: 'absent', etag: undefined }
  const withTag = { field: 'If-Match', etag }
  for (const [request, headers, status, facts] of [
    ['PUT /offers/1', STALE, 412, { ...mismatch, ...withTag }],
    ['DELETE /offers/1', STALE, 412, { ...mismatch, ...withTag }],
    ['GET /offers/1', STALE, 412, { ...mismatch, ...withTag }],
    ['PUT /offers/1', { 'if-match': `W/${etag}` }, 412, { ...mismatch, ...withTag, isWeak: true }],
    ['PUT /offers/1', { 'if-match': `"${current}-gzip"` }, 412, { ...mismatch, ...withTag }],
    ['PUT /offers/1', { 'if-none-match': '*' }, 412, { ...exists, field: 'If-None-Match', etag }],
    ['PUT /offers/1', { 'if-match': '*', 'if-none-match': etag }, 412, { ...exists, field: 'If-None-Match', etag }],
    ['POST /new/1', { 'if-match': etag }, 412, { ...exists, field: undefined, etag }],
    ['PUT /offers/2', { 'if-match': '*' }, 412, { ...absent, field: 'If-Match' }],
    ['PATCH /offers/2', { 'if-match': '*' }, 404, { ...absent, field: undefined }],
    ['GET /offers/2', {}, 404, { ...absent, field: undefined }],
    ['POST /gone', {}, 404, { ...absent, field: undefined }],
    ['POST /exists', {}, 412, { ...exists, field: undefined, etag }],
    ['POST /further/1', {}, 412, { ...mismatch, field: undefined }]
  ] as const) {
    const response = await send(app, request, headers)
    t.equal(response.statusCode, status, request)
    t.match(factsOf(error()), { etag: await tagOf(storage), ...facts }, `${request} ${JSON.stringify(headers)}`)
    t.ok(isRefusalError(error()))
  }
})

await t.test('the error of a write whose entity was changed meanwhile names no field', async (t) => {
  const { app, storage, error } = await refusingApp(t, {}, undefined, (app) => {
    app.put('/twice/:id', { config: { ifMatch: { key: '/offers/:id' } } }, async (request) => {
      await request.entity().unchanged()
      await seed(storage)
      await request.entity().replace({})
    })
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'PUT /twice/1', { 'if-match': etag }), 412)
  t.match(factsOf(error()), { reason: 'mismatch', field: undefined, etag: await tagOf(storage) })
  t.match(error().message, /meanwhile/)
})

/** A storage over memory that counts its reads, and how many of them asked for a value. */
function countingMemory () {
  const memory = memoryAdapter()
  const counts = { reads: 0, values: 0 }
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      counts.reads++
      if (options?.unless === undefined) counts.values++
      return await memory.read(key, options)
    }
  }
  return { storage, counts }
}

await t.test('a 412 ahead of the handler of a PUT reads no value; error.current.read() reads it, with its own tag', async (t) => {
  const { storage, counts } = countingMemory()
  let look: (error: RefusalError) => unknown = () => {}
  const { app, error } = await refusingApp(t, { storage }, (error) => look(error))
  const first = await seed(storage)
  t.equal(await statusOf(app, 'PUT /offers/1', STALE), 412)
  t.same(counts, { reads: 1, values: 0 }, 'a 412 costs the same for a large entity')
  t.same(await error().current!.read(), { value: { title: 'seeded' }, version: first.slice(1, -1), etag: first })
  t.same(counts, { reads: 2, values: 1 })

  let second = ''
  look = async ({ current }) => {
    second = await seed(storage, '1', { title: 'newer' })
    return [current!.etag, await current!.read()]
  }
  const response = await send(app, 'PUT /offers/1', STALE)
  t.equal(response.headers.etag, first, 'the tag of a 412 is that of the refusal')
  t.match(response.json().seen, [first, { value: { title: 'newer' }, etag: second }], 'value and tag are of one read')

  look = async ({ current }) => {
    await storage.remove('/offers/1', { kind: 'exists' })
    return await current!.read().catch((error: RefusalError) => [error.code, error.statusCode])
  }
  t.same((await send(app, 'PUT /offers/1', STALE)).json().seen, ['FST_IF_MATCH_ENTITY_ABSENT', 404])
})

await t.test('what a refused write brought is read by nobody again, and each reader has a copy of its own', async (t) => {
  const { storage, counts } = countingMemory()
  const { app, error } = await refusingApp(t, { storage, precheck: false })
  const etag = await seed(storage, '1', { list: [1] })
  t.equal(await statusOf(app, 'PUT /offers/1', STALE), 412)
  const found = await error().current!.read<{ list: number[] }>()
  t.same(found, { value: { list: [1] }, version: etag.slice(1, -1), etag })
  found.value.list.push(2)
  t.same((await error().current!.read()).value, { list: [1] })
  t.equal(counts.reads, 0)
})

await t.test('an outage while error.current.read() asks is an error of its own, and no absence', async (t) => {
  const memory = memoryAdapter()
  let isDown = false
  const storage: StorageAdapter = {
    ...memory,
    async read (key, options) {
      if (isDown) throw new Error('connect ECONNREFUSED')
      return await memory.read(key, options)
    }
  }
  const { app, error } = await refusingApp(t, { storage })
  await seed(storage)
  t.equal(await statusOf(app, 'DELETE /offers/1', STALE), 412)
  isDown = true
  await t.rejects(error().current!.read(), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
})

await t.test('to look at what stands in the way is no read: a blind second replace is refused as the first one was', async (t) => {
  const results: unknown[] = []
  const handler: RouteHandlerMethod = async (request) => {
    await request.entity('/offers/1').read()
    const etag = await seed(storage, '1', { title: 'of another client' })
    for (let attempt = 0; attempt < 2; attempt++) {
      await request.entity('/offers/1').replace({ title: 'blind' }).catch(async (error: RefusalError) => {
        results.push(error.statusCode, (await error.current!.read()).etag === etag)
      })
    }
    return 'done'
  }
  const { app, storage } = await refusingApp(t, {}, undefined, (app) => { app.post('/blind', handler) })
  await seed(storage)
  t.equal(await statusOf(app, 'POST /blind'), 200)
  t.same(results, [412, true, 412, true])
})

await t.test('a refusal behind an applied step keeps its facts beside its warning', async (t) => {
  const { app, storage, error } = await refusingApp(t, { precheck: false }, undefined, (app) => {
    app.put('/steps/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) => {
      await request.entity('/log/1').create({})
      await request.entity().replace({})
    })
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'PUT /steps/1', STALE), 412)
  t.match(error().message, /was applied and stays/)
  t.match(factsOf(error()), { reason: 'mismatch', field: 'If-Match', etag })
  t.same((await error().current!.read()).value, { title: 'seeded' })
})

await t.test('a refusal that a handler swallowed before it wrote something else is the answer, with its facts', async (t) => {
  const { app, storage, error } = await refusingApp(t, {}, undefined, (app) => {
    app.put('/swallowed/:id', { config: { ifMatch: { key: '/offers/:id', precheck: false } } }, async (request) => {
      await request.entity().replace({}).catch(() => {})
      await request.entity('/log/1').create({})
    })
  })
  const etag = await seed(storage)
  t.equal(await statusOf(app, 'PUT /swallowed/1', STALE), 412)
  t.match(error().message, /was applied and stays/)
  t.match(factsOf(error()), { reason: 'mismatch', field: 'If-Match', etag })
  t.same((await error().current!.read()).value, { title: 'seeded' })
})

await t.test('no logger, serialiser or inspector shows stored content of a refusal', async (t) => {
  const SECRET = 'a-price-that-nobody-may-see'
  for (const precheck of [true, false]) {
    const lines: string[] = []
    let last: RefusalError | undefined
    const { app, storage } = await offersApp(t, { precheck }, (app) => {
      app.addHook('onError', async (request, _reply, error) => {
        last = error as RefusalError
        await last.current!.read()
        request.log.info(error)
        request.log.info({ err: error, error, current: last.current, detail: { error } }, 'refused')
      })
    }, { logger: { stream: { write: (line: string) => { lines.push(line) } } } })
    await seed(storage, '1', { title: SECRET })
    const response = await send(app, 'PATCH /offers/1', STALE)
    t.equal(response.statusCode, 412)
    const error = last!
    const hidden = { showHidden: true, depth: Infinity, getters: true, showProxy: true }
    const shown = {
      lines: lines.join(''),
      body: response.body,
      json: JSON.stringify([error, error.current, { error }]),
      inspected: inspect([error, error.current]) + inspect([error, error.current, error.current!.read], hidden),
      text: `${error} ${error.message} ${error.stack}`,
      spread: JSON.stringify({ ...error, ...error.current }),
      names: JSON.stringify([...Object.entries(error), ...Object.entries(error.current!)]),
      clone: inspect(structuredClone(error), hidden),
      serialised: serialize(error).toString('latin1')
    }
    t.match(shown.lines, 'FST_IF_MATCH_PRECONDITION_FAILED')
    for (const [name, text] of Object.entries(shown)) t.notMatch(text, SECRET, name)
    t.same(Object.keys(error).sort(), ['code', 'message', 'name', 'statusCode'])
    t.equal(JSON.stringify(error.current), '{}')
    const inLoop: string[] = []
    for (const name in error) inLoop.push(name)
    t.same(inLoop.filter((name) => ['current', 'reason'].includes(name)), [], 'pino walks errors by for…in')
  }
})

await t.test('a refusal that an app or an adapter throws by itself has the facts of its code, and none of an entity', async (t) => {
  const thrown = new errorCodes.FST_IF_MATCH_PRECONDITION_FAILED('No', 'Try again.')
  t.same(factsOf(thrown), {
    reason: 'mismatch', field: undefined, isWeak: false, etag: undefined, ownWrite: undefined
  })
  t.equal(new errorCodes.FST_IF_MATCH_ENTITY_ABSENT().reason, 'absent')
  t.ok(thrown instanceof errorCodes.FST_IF_MATCH_PRECONDITION_FAILED && thrown instanceof Error)
  t.equal(thrown.stack, undefined)
  t.same([isRefusalError(new errorCodes.FST_IF_MATCH_REQUIRED('')), isRefusalError(undefined)], [false, false])
})
