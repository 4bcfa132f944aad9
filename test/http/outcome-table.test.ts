import t from 'tap'
import type { Test } from 'tap'
import ifMatch, { type IfMatchOptions, type IfMatchRouteOptions } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { newApp, offersApp, seed, send, statusOf, tagOf } from '../support/offers-app.js'

// The tables of docs/reference/http-semantics.md: RFC 9110 13.1.1, 13.1.2, 13.2.1 and 13.2.2.

type Method = 'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'DELETE' | 'POST'
type Wanted = number | 'perform' | undefined

// If-Match (IM) and If-None-Match (INM); c is the current tag, x another one.
const COLUMNS = ['no header', 'IM *', 'IM c', 'IM x', 'INM *', 'INM c', 'INM x'] as const
const FIELDS = { IM: 'if-match', INM: 'if-none-match' } as const

const WRITES: Method[] = ['PUT', 'PATCH', 'DELETE', 'POST']
const CHANGES: Method[] = ['PATCH', 'DELETE', 'POST']
const READS: Method[] = ['GET', 'HEAD']

const PERFORMED = { GET: 200, HEAD: 200, PUT: 200, PATCH: 200, DELETE: 204, POST: 200 } as const

/** One request on a storage of its own. */
async function outcomeOf (
  t: Test,
  options: IfMatchRouteOptions,
  exists: boolean,
  method: Method,
  column: (typeof COLUMNS)[number]
): Promise<{ status: number, isChanged: boolean }> {
  const { app, storage } = await offersApp(t, options)
  const before = exists ? await seed(storage) : undefined
  const [field, value] = column.split(' ') as ['no' | 'IM' | 'INM', string]
  const tag = { '*': '*', c: before ?? '"c"', x: '"x"' }[value]
  const status = await statusOf(app, `${method} /offers/1`, field === 'no' ? {} : { [FIELDS[field]]: tag })
  return { status, isChanged: await tagOf(storage) !== before }
}

/** Checks one row: the status of each column, and that the entity changed exactly where the operation was performed. */
async function checkRow (
  t: Test,
  options: IfMatchRouteOptions,
  exists: boolean,
  methods: Method[],
  statuses: Wanted[]
): Promise<void> {
  for (const method of methods) {
    for (const [index, column] of COLUMNS.entries()) {
      const wanted = statuses[index] === 'perform' ? PERFORMED[method] : statuses[index]
      if (wanted === undefined) continue
      const { status, isChanged } = await outcomeOf(t, options, exists, method, column)
      const title = `${method} ${exists ? 'exists' : 'absent'}, ${column}`
      t.equal(status, wanted, `${title}: ${wanted}`)
      const isPerformed = !READS.includes(method) && status < 300
      t.equal(isChanged, isPerformed, `${title}: ${isPerformed ? 'performed' : 'nothing changed'}`)
    }
  }
}

await t.test('outcome table: an entity that exists is read', async (t) => {
  await checkRow(t, {}, true, READS, [200, 200, 200, 412, 304, 304, 200])
})

await t.test('outcome table: an entity that exists is written, on a guarded route', async (t) => {
  await checkRow(t, {}, true, WRITES, [400, 'perform', 'perform', 412, 412, 412, 400])
  await checkRow(t, { missing: 428 }, true, WRITES, [428, 'perform', 'perform', 412, 412, 412, 428])
})

await t.test('outcome table: an entity that exists is written, where the header may be missing', async (t) => {
  const statuses: Wanted[] = ['perform', 'perform', 'perform', 412, 412, 412, 'perform']
  await checkRow(t, { missing: 'allow' }, true, WRITES, statuses)
})

await t.test('outcome table: an absent entity is read', async (t) => {
  await checkRow(t, {}, false, READS, [404, 404, undefined, 404, 404, undefined, 404])
})

await t.test('outcome table: an absent entity is created by PUT', async (t) => {
  await checkRow(t, {}, false, ['PUT'], [400, 412, undefined, 412, 201, undefined, 400])
  await checkRow(t, { missing: 428 }, false, ['PUT'], [428, 412, undefined, 412, 201, undefined, 428])
  await checkRow(t, { missing: 'allow' }, false, ['PUT'], [201, 412, undefined, 412, 201, undefined, 201])
})

await t.test('outcome table: with create "wildcard", If-Match: * creates too', async (t) => {
  const options = { create: 'wildcard' } as const
  await checkRow(t, options, false, ['PUT'], [400, 201, undefined, 412, 201, undefined, 400])
  const statuses = [201, 201, undefined, 412, 201, undefined, 201]
  await checkRow(t, { ...options, missing: 'allow' }, false, ['PUT'], statuses)
})

await t.test('outcome table: an absent entity that may not be created', async (t) => {
  // If-None-Match: "x" is true there, and names no strategy; `*` names one that this route does not know.
  const required = [400, 404, undefined, 404, 404, undefined, 400]
  const allowed = [404, 404, undefined, 404, 404, undefined, 404]
  await checkRow(t, {}, false, CHANGES, required)
  await checkRow(t, { missing: 'allow' }, false, CHANGES, allowed)
  await checkRow(t, { create: false }, false, ['PUT'], required)
  const by428 = [428, 404, undefined, 404, 404, undefined, 428]
  await checkRow(t, { missing: 428 }, false, CHANGES, by428)
  await checkRow(t, { create: false, missing: 428 }, false, ['PUT'], by428)
  await checkRow(t, { create: false, missing: 'allow' }, false, ['PUT'], allowed)
})

await t.test('outcome table: with absent 412, If-Match is 412 if the entity is absent and may not be created', async (t) => {
  const written = [400, 412, undefined, 412, 404, undefined, 400]
  await checkRow(t, { absent: 412 }, false, CHANGES, written)
  await checkRow(t, { absent: 412, create: false }, false, ['PUT'], written)
  await checkRow(t, { absent: 412 }, false, READS, [404, 412, undefined, 412, 404, undefined, 404])
})

await t.test('outcome table: create on the route counts for its methods but DELETE; that of the plugin for PUT alone', async (t) => {
  const replaces = async (options: IfMatchOptions, routeOptions: IfMatchRouteOptions | true) => {
    const app = newApp(t)
    await app.register(ifMatch, options)
    app.addHttpMethod('MKCOL', { hasBody: true })
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'MKCOL', 'GET']) {
      app.route({
        method,
        url: '/offers/:id',
        config: { ifMatch: routeOptions },
        handler: async (request, reply) => {
          const { created } = await request.entity().replace({ title: 'made' })
          return await reply.code(created ? 201 : 200).send({})
        }
      })
    }
    return app
  }
  const statuses = async (
    options: Omit<IfMatchOptions, 'storage'>,
    routeOptions: IfMatchRouteOptions | true,
    headers: object
  ): Promise<Record<string, number>> => {
    const result: Record<string, number> = {}
    for (const method of ['PUT', 'PATCH', 'POST', 'MKCOL', 'DELETE', 'GET']) {
      const app = await replaces({ ...options, storage: memoryAdapter() }, routeOptions)
      result[method] = await statusOf(app, `${method} /offers/1`, { ...headers })
      if (result[method] !== 201) continue
      t.equal(await statusOf(app, `${method} /offers/1`, { 'if-none-match': '*' }), 412, `${method}: it exists now`)
    }
    return result
  }
  const none = { 'if-none-match': '*' }
  const wildcard = { 'if-match': '*' }
  const others = (status: number, rest = 404) =>
    ({ PUT: 201, PATCH: status, POST: status, MKCOL: status, DELETE: rest, GET: 404 })
  for (const create of ['if-none-match', 'wildcard'] as const) {
    t.same(await statuses({}, { create }, none), others(201), `on the route: ${create}`)
    t.same(await statuses({ create }, true, none), others(404), `of the plugin: ${create}`)
  }
  t.same(await statuses({}, { create: 'wildcard' }, wildcard), others(201))
  t.same(await statuses({ create: 'wildcard' }, true, wildcard), others(404))
  t.same(await statuses({}, { create: 'if-none-match' }, wildcard), { ...others(412), PUT: 412 })
  t.same(await statuses({}, { create: 'if-none-match' }, { 'if-match': '"x"' }), { ...others(412), PUT: 412 })
  t.same(await statuses({}, { create: 'if-none-match', missing: 'allow' }, {}), others(201))
  t.same(await statuses({}, { missing: 'allow' }, {}), others(404))
  t.same(await statuses({ create: 'wildcard' }, { create: false }, none), { ...others(404), PUT: 404 })
})

await t.test('outcome table: without the comparison before the handler, the write gives the same answers to If-Match', async (t) => {
  const options = { precheck: false }
  await checkRow(t, options, true, READS, [200, 200, 200, 412, 304, 304, 200])
  await checkRow(t, options, false, READS, [404, 404, undefined, 404, 404, undefined, 404])
  await checkRow(t, options, true, WRITES, [400, 'perform', 'perform', 412])
  await checkRow(t, options, true, ['PUT'], [undefined, undefined, undefined, undefined, 412])
  await checkRow(t, options, false, ['PUT'], [400, 412, undefined, 412, 201])
  await checkRow(t, options, false, CHANGES, [400, 404, undefined, 404])
  const allow = { precheck: false, missing: 'allow' } as const
  await checkRow(t, allow, true, WRITES, ['perform', 'perform', 'perform', 412, 412, 412, 'perform'])
  await checkRow(t, allow, false, ['PUT'], [201, 412, undefined, 412, 201, undefined, 201])
})

await t.test('outcome table: If-None-Match is judged where If-Match is true, and only there (RFC 9110 13.2.2)', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  const both = await send(app, 'PUT /offers/1', { 'if-match': etag, 'if-none-match': etag })
  t.equal(both.statusCode, 412)
  t.match(both.json().message, /^If-None-Match is false/)
  const first = await send(app, 'PUT /offers/1', { 'if-match': '"x"', 'if-none-match': etag })
  t.equal(first.statusCode, 412)
  t.match(first.json().message, /^If-Match is false/)
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-match': etag, 'if-none-match': '"x"' }), 200, 'both true')
})

await t.test('outcome table: dates and ranges are ignored, since no Last-Modified is issued (RFC 9110 13.1.3 to 13.1.5)', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  const past = 'Thu, 01 Jan 1970 00:00:00 GMT'
  const future = 'Fri, 01 Jan 2100 00:00:00 GMT'
  const get = async (headers: object) => await statusOf(app, 'GET /offers/1', { ...headers })
  t.equal(await get({ 'if-modified-since': future }), 200)
  t.equal(await get({ 'if-unmodified-since': past }), 200)
  t.equal(await get({ range: 'bytes=0-1', 'if-range': etag }), 200)
  t.equal(await get({ range: 'bytes=0-1', 'if-match': '"x"' }), 412, 'the precondition first')
  t.equal(await statusOf(app, 'PUT /offers/1', { 'if-unmodified-since': future }), 400, 'a date names no strategy')
})
