import t from 'tap'
import type { Test } from 'tap'
import type { IfMatchRouteOptions } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersApp, seed } from '../support/offers-app.js'

type Method = 'GET' | 'HEAD' | 'PUT' | 'PATCH' | 'DELETE' | 'POST'

// The columns of R55; c is the current tag, x another one.
const COLUMNS = ['no header', 'IM *', 'IM c', 'IM x', 'INM *', 'INM c', 'INM x'] as const

const PERFORMED = { GET: 200, HEAD: 200, PUT: 200, PATCH: 200, DELETE: 204, POST: 200 } as const

async function request (
  t: Test,
  options: IfMatchRouteOptions,
  exists: boolean,
  method: Method,
  column: (typeof COLUMNS)[number]
) {
  const { app, storage } = await offersApp(t, { ...options, storage: memoryAdapter() })
  const current = exists ? await seed(storage) : '"c"'
  const headers: Record<string, string> = {}
  const [field, value] = column.split(' ')
  if (field === 'IM') headers['if-match'] = value === 'c' ? current : value === 'x' ? '"x"' : '*'
  if (field === 'INM') headers['if-none-match'] = value === 'c' ? current : value === 'x' ? '"x"' : '*'
  const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'DELETE'
  const response = await app.inject({
    method,
    url: '/offers/1',
    headers,
    ...(hasBody && { payload: { title: 'sent' } })
  })
  const after = await storage.read('/offers/1')
  return {
    status: response.statusCode,
    before: exists ? current : undefined,
    after: after && `"${after.version}"`,
    response
  }
}

/** Checks one row: the status of each column, and that the entity changed exactly where the operation ran (R41). */
async function checkRow (
  t: Test,
  options: IfMatchRouteOptions,
  exists: boolean,
  methods: Method[],
  statuses: Array<number | 'perform' | undefined>
): Promise<void> {
  for (const method of methods) {
    for (const [at, column] of COLUMNS.entries()) {
      const wanted = statuses[at] === 'perform' ? PERFORMED[method] : statuses[at]
      if (wanted === undefined) continue
      const { status, before, after } = await request(t, options, exists, method, column)
      t.equal(status, wanted, `${method} ${exists ? 'exists' : 'absent'}, ${column}: ${wanted}`)
      const isUnsafe = method !== 'GET' && method !== 'HEAD'
      t.equal(
        after !== before,
        isUnsafe && status < 300,
        `${method} ${exists ? 'exists' : 'absent'}, ${column}: ${status < 300 ? 'performed' : 'nothing changed'}`
      )
    }
  }
}

await t.test('outcome table: an entity that exists is read (R55, row 1)', async (t) => {
  await checkRow(t, {}, true, ['GET', 'HEAD'], [200, 200, 200, 412, 304, 304, 200])
})

await t.test('outcome table: an entity that exists is written, on a guarded route (R55, row 2; R1)', async (t) => {
  const methods: Method[] = ['PUT', 'PATCH', 'DELETE', 'POST']
  await checkRow(t, {}, true, methods, [400, 'perform', 'perform', 412, 412, 412, 400])
  await checkRow(t, { missing: 428 }, true, methods, [428, 'perform', 'perform', 412, 412, 412, 428])
})

await t.test('outcome table: an entity that exists is written, where the header may be missing (R55, row 2)', async (t) => {
  await checkRow(
    t,
    { missing: 'allow' },
    true,
    ['PUT', 'PATCH', 'DELETE', 'POST'],
    ['perform', 'perform', 'perform', 412, 412, 412, 'perform']
  )
})

await t.test('outcome table: an absent entity is read (R55, row 3)', async (t) => {
  await checkRow(t, {}, false, ['GET', 'HEAD'], [404, 404, undefined, 404, 404, undefined, 404])
})

await t.test('outcome table: an absent entity is created by PUT (R55, row 4)', async (t) => {
  await checkRow(t, {}, false, ['PUT'], [400, 412, undefined, 412, 201, undefined, 400])
  await checkRow(t, { missing: 428 }, false, ['PUT'], [428, 412, undefined, 412, 201, undefined, 428])
  await checkRow(t, { missing: 'allow' }, false, ['PUT'], [201, 412, undefined, 412, 201, undefined, 201])
})

await t.test('outcome table: with create "wildcard", If-Match: * creates too (CPP 4)', async (t) => {
  await checkRow(t, { create: 'wildcard' }, false, ['PUT'], [400, 201, undefined, 412, 201, undefined, 400])
  await checkRow(
    t,
    { create: 'wildcard', missing: 'allow' },
    false,
    ['PUT'],
    [201, 201, undefined, 412, 201, undefined, 201]
  )
})

await t.test('outcome table: an absent entity that may not be created (R55, row 5)', async (t) => {
  const methods: Method[] = ['PATCH', 'DELETE', 'POST']
  await checkRow(t, {}, false, methods, [400, 404, undefined, 404, 404, undefined, 404])
  await checkRow(t, { missing: 'allow' }, false, methods, [404, 404, undefined, 404, 404, undefined, 404])
  await checkRow(t, { create: false }, false, ['PUT'], [400, 404, undefined, 404, 404, undefined, 404])
  await checkRow(
    t,
    { create: false, missing: 'allow' },
    false,
    ['PUT'],
    [404, 404, undefined, 404, 404, undefined, 404]
  )
})

await t.test('outcome table: with absent 412, If-Match on an absent target is 412 where none may be created (R55)', async (t) => {
  await checkRow(
    t,
    { absent: 412 },
    false,
    ['PATCH', 'DELETE', 'POST'],
    [400, 412, undefined, 412, 404, undefined, 404]
  )
  await checkRow(t, { absent: 412, create: false }, false, ['PUT'], [400, 412, undefined, 412, 404, undefined, 404])
  await checkRow(t, { absent: 412 }, false, ['GET', 'HEAD'], [404, 412, undefined, 412, 404, undefined, 404])
})

await t.test('outcome table: without the early comparison the write gives the same answers to If-Match (R56)', async (t) => {
  const all: Method[] = ['PUT', 'PATCH', 'DELETE', 'POST']
  await checkRow(t, { precheck: false }, true, ['GET', 'HEAD'], [200, 200, 200, 412, 304, 304, 200])
  await checkRow(t, { precheck: false }, false, ['GET', 'HEAD'], [404, 404, undefined, 404, 404, undefined, 404])
  await checkRow(t, { precheck: false }, true, all, [400, 'perform', 'perform', 412])
  await checkRow(t, { precheck: false }, true, ['PUT'], [undefined, undefined, undefined, undefined, 412])
  await checkRow(t, { precheck: false }, false, ['PUT'], [400, 412, undefined, 412, 201])
  await checkRow(t, { precheck: false }, false, ['PATCH', 'DELETE', 'POST'], [400, 404, undefined, 404])
  await checkRow(t, { precheck: false, missing: 'allow' }, true, all, [
    'perform',
    'perform',
    'perform',
    412,
    412,
    412,
    'perform'
  ])
  await checkRow(
    t,
    { precheck: false, missing: 'allow' },
    false,
    ['PUT'],
    [201, 412, undefined, 412, 201, undefined, 201]
  )
})

await t.test('outcome table: If-Match that is true goes on to If-None-Match, and one that is false does not (R40)', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  const put = async (headers: Record<string, string>) =>
    await app.inject({ method: 'PUT', url: '/offers/1', headers, payload: { title: 'sent' } })
  const both = await put({ 'if-match': etag, 'if-none-match': etag })
  t.equal(both.statusCode, 412)
  t.match(both.json().message, /^If-None-Match is false/)
  const first = await put({ 'if-match': '"x"', 'if-none-match': etag })
  t.equal(first.statusCode, 412)
  t.match(first.json().message, /^If-Match is false/)
  t.equal((await put({ 'if-match': etag, 'if-none-match': '"x"' })).statusCode, 200, 'both true')
})

await t.test('outcome table: dates and ranges are ignored, since no Last-Modified is issued (R36, R37, R39, R44)', async (t) => {
  const { app, storage } = await offersApp(t)
  const etag = await seed(storage)
  const past = 'Thu, 01 Jan 1970 00:00:00 GMT'
  const future = 'Fri, 01 Jan 2100 00:00:00 GMT'
  const get = async (headers: Record<string, string>) => (await app.inject({ url: '/offers/1', headers })).statusCode
  t.equal(await get({ 'if-modified-since': future }), 200)
  t.equal(await get({ 'if-unmodified-since': past }), 200)
  t.equal(await get({ range: 'bytes=0-1', 'if-range': etag }), 200)
  t.equal(await get({ range: 'bytes=0-1', 'if-match': '"x"' }), 412, 'the precondition first')
  const put = await app.inject({
    method: 'PUT',
    url: '/offers/1',
    headers: { 'if-unmodified-since': future },
    payload: { title: 'sent' }
  })
  t.equal(put.statusCode, 400, 'a date names no strategy')
})
