import t from 'tap'
import { attempts } from '../../../lib/client/attempts.js'
import { createClient, MissingTagError } from '../../../lib/client/index.js'
import { readIfThere } from '../../../lib/client/read.js'
import { answered, neverSent, stubServer } from '../../support/client/stub-server.js'

await t.test('read gives the value and the tag exactly as it was received, a weak one as well (RFC 9110 8.8.3)', async (t) => {
  const server = stubServer(t, { a: 1 })
  const client = createClient(server)
  t.strictSame(await client.read('/1'), { value: { a: 1 }, etag: '"v0"' })
  server.stored.tag = 'W/"v0;gzip"'
  t.strictSame(await client.read(new URL('https://a.test/1')), { value: { a: 1 }, etag: 'W/"v0;gzip"' })
  t.strictSame(server.sent.map(({ url }) => url), ['/1', 'https://a.test/1'])
})

await t.test('an answer without a tag, or with one that is none, is an error that says so, and names CORS (RFC 9110 8.8.3)', async (t) => {
  const server = stubServer(t, 1)
  server.steps.push(answered(200, {}, { a: 1 }))
  const failing = createClient(server).read('/1')
  await t.rejects(failing, { code: 'MISSING_TAG', name: 'MissingTagError', message: /no ETag.*CORS/ })
  await t.rejects(failing, MissingTagError)
  t.equal(server.sent.length, 1)
  for (const etag of ['*', '', 'v0', '"v0', '"a", "b"', 'w/"v0"', '"a b"']) {
    server.steps.push(answered(200, { etag }, { a: 1 }))
    await t.rejects(createClient(server).read('/1'), MissingTagError, etag)
  }
})

await t.test('what is known is given back itself while it is current (304), and read again once it is not', async (t) => {
  const server = stubServer(t, { a: 1 })
  const client = createClient(server)
  const known = await client.read('/1')
  t.equal(await client.read('/1', { known }), known)
  server.store({ a: 2 })
  t.strictSame(await client.read('/1', { known }), { value: { a: 2 }, etag: '"v1"' })
  t.strictSame(server.log(), ['GET', 'GET "v0"', 'GET "v0"'])
  server.steps.push(answered(304))
  await t.rejects(client.read('/1'), { name: 'RequestError', status: 304 }, 'a 304 that nobody asked for')
})

await t.test('a read is tried again after no answer, a 5xx, a 429 and a body that breaks off, and not after another 4xx', async (t) => {
  const server = stubServer(t, 'here')
  const client = createClient(server)
  const cut = new ReadableStream({ start (controller) { controller.error(new Error('cut')) } })
  const busy = answered(503, { 'retry-after': '0' })
  server.steps.push(neverSent, answered(500), answered(429), busy, () => new Response(cut))
  t.match(await client.read('/1'), { value: 'here' })
  t.equal(server.sent.length, 6)
  for (const status of [400, 401, 403, 404, 410, 412]) {
    server.steps.push(answered(status))
    await t.rejects(client.read('/1'), { name: status === 412 ? 'ConflictError' : 'RequestError', status })
  }
  t.equal(server.sent.length, 12)
})

await t.test('a read that never works ends with the last error, after its tries; a Retry-After that is too long ends it at once', async (t) => {
  const server = stubServer(t)
  const client = createClient({ ...server, retries: 2 })
  server.steps.push(answered(500), answered(502), neverSent)
  await t.rejects(client.read('/1'), { code: 'NO_ANSWER', status: undefined, cause: { message: 'fetch failed' } })
  t.equal(server.sent.length, 3)
  server.steps.push(answered(503, { 'retry-after': '3600' }))
  await t.rejects(client.read('/1'), { name: 'RequestError', status: 503, retryAfter: 3_600_000 })
  t.equal(server.sent.length, 4)
})

await t.test('an answer that is no JSON is an error that says so', async (t) => {
  const server = stubServer(t, 1)
  server.steps.push(() => new Response('<html>', { headers: { etag: '"x"' } }))
  await t.rejects(createClient(server).read('/1'), { code: 'NOT_JSON' })
})

await t.test('an aborted read rejects with the reason of the signal', async (t) => {
  const server = stubServer(t, 1)
  const controller = new AbortController()
  server.steps.push((apply) => {
    controller.abort(new Error('enough'))
    return apply()
  })
  await t.rejects(createClient(server).read('/1', { signal: controller.signal }), { message: 'enough' })
  t.equal(server.sent.length, 1)
})

await t.test('where there is nothing, 404 and 410 are no error for who asks whether there is something', async (t) => {
  const server = stubServer(t)
  const call = { client: server }
  const tries = attempts({})
  t.equal(await readIfThere(call, '/1', tries), undefined)
  server.steps.push(answered(410), answered(403))
  t.equal(await readIfThere(call, '/1', tries), undefined)
  await t.rejects(readIfThere(call, '/1', tries), { name: 'RequestError', status: 403 })
})
