import Fastify from 'fastify'
import t from 'tap'
import ifMatch, { problemDetailsHandler } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { createClient, type Fetch } from '../../../lib/client/index.js'
import { keyed, repeated } from '../../support/client/keyed.js'
import { after, answered, lostAnswer, neverSent, type Step } from '../../support/client/stub-server.js'

const V0 = { etag: '"v0"' }
const unknown = (seen: string, more = {}) => ({ name: 'OutcomeUnknownError', code: 'OUTCOME_UNKNOWN', seen, ...more })

await t.test('idempotencyKey: each change has a key, the same after a 503 that is certain, and another one after a conflict', async (t) => {
  const server = keyed(t, { n: 1 })
  const busy = answered(503, { 'retry-after': '0' }, { code: 'FST_IF_MATCH_CONTENTION' })
  server.steps.push((apply) => apply(), busy, after(() => { server.store({ n: 5 }) }), (apply) => apply(), lostAnswer)
  server.steps.push(repeated({ n: 6 }))
  const { value } = await server.client.update<{ n: number }>('/1', (doc) => { doc.n++ })
  t.strictSame([value, server.stored.value], [{ n: 6 }, { n: 6 }])
  t.strictSame(server.log(), [
    'GET', 'PUT "v0" key-1', 'PUT "v0" key-1', 'GET', 'PUT "v1" key-2', 'PUT "v1" key-2'
  ])
  await server.client.write('/1', { n: 0 }, { overwrite: true })
  await server.client.write('/1', { n: 1 }, { overwrite: true, idempotencyKey: undefined })
  await server.client.remove('/1', { etag: server.stored.tag!, idempotencyKey: () => 'mine' })
  const last = ['PUT * key-3', 'PUT *', /^DELETE "v\d+" mine$/]
  t.match(server.log().slice(-3), last, 'a call may have another one, or none')
})

await t.test('idempotencyKey on a server that ignores it: the 412 to what was sent again is no refusal, so it reads and compares', async (t) => {
  const server = keyed(t, { n: 1 })
  server.steps.push(lostAnswer)
  t.match(await server.client.write('/1', { n: 2 }, V0), { etag: '"v1"', outcome: 'found' })
  t.strictSame(server.log(), ['PUT "v0" key-1', 'PUT "v0" key-1', 'GET'])
  const raise = (doc: { n: number }): void => { doc.n++ }
  const pass: Step = (apply) => apply()
  const overtaken = [pass, neverSent, after(() => { server.store({ n: 9 }) })]
  for (const steps of [[pass, lostAnswer], overtaken]) {
    server.steps.push(...steps)
    const raising = server.client.update('/1', raise)
    await t.rejects(raising, unknown('changed', { status: 412, cause: { name: 'ConflictError' } }))
  }
  server.steps.push(...overtaken)
  const isApplied = (): boolean => false
  await server.client.update('/1', raise, { isApplied })
  t.strictSame(server.stored.value, { n: 10 }, 'isApplied is asked as ever')
})

await t.test('idempotencyKey: a key that is used up is an error of the request, and unknown after a lost answer', async (t) => {
  const server = keyed(t, { a: 1 })
  const reused = answered(422, {}, { code: 'FST_IF_MATCH_KEY_REUSED' })
  server.steps.push(reused)
  const certain = { name: 'RequestError', code: 'FST_IF_MATCH_KEY_REUSED', status: 422 }
  await t.rejects(server.client.write('/1', { a: 2 }, V0), certain)
  server.steps.push(neverSent, reused)
  await t.rejects(server.client.write('/1', { a: 2 }, V0), unknown('base', { status: 422, cause: certain }))
})

await t.test('idempotencyKey: an overwrite is read first, and so are a redirect and a 202; a removal that is 404 then is found', async (t) => {
  const server = keyed(t, { a: 1 })
  server.steps.push(lostAnswer)
  t.match(await server.client.write('/1', { a: 2 }, { overwrite: true }), { outcome: 'found' })
  server.steps.push(neverSent)
  await t.rejects(server.client.write('/1', { a: 3 }, { overwrite: true }), unknown('changed'))
  server.steps.push(answered(202), (apply) => apply(), answered(307))
  await t.rejects(server.client.write('/1', { a: 3 }, { etag: '"v1"' }), unknown('base'))
  await t.rejects(server.client.write('/1', { a: 3 }, { etag: '"v1"' }), unknown('base'))
  t.strictSame(server.log(), ['PUT *', 'GET', 'PUT *', 'GET', 'PUT "v1"', 'GET', 'PUT "v1"', 'GET'].map((line, index) =>
    line === 'GET' ? line : `${line} key-${index / 2 + 1}`))
  server.sent.length = 0
  server.steps.push(lostAnswer)
  t.strictSame(await server.client.remove('/1', { etag: '"v1"' }), { outcome: 'found' })
  t.strictSame(server.log(), ['DELETE "v1" key-5', 'DELETE "v1" key-5', 'GET'])
})

await t.test('idempotencyKey: once the tries are used up it reads, and says what is there', async (t) => {
  const server = keyed(t, { a: 1 })
  server.steps.push(neverSent, neverSent)
  const writing = server.client.write('/1', { a: 2 }, { ...V0, retries: 1 })
  await t.rejects(writing, unknown('base', { cause: { code: 'NO_ANSWER' } }))
  t.strictSame(server.log(), ['PUT "v0" key-1', 'PUT "v0" key-1', 'GET'])
})

await t.test('idempotencyKey: no header of the caller takes its place; one that throws, or gives no header, sends nothing', async (t) => {
  const server = keyed(t, { a: 1 })
  await server.client.write('/1', { a: 2 }, { ...V0, headers: { 'Idempotency-Key': 'other' } })
  t.strictSame(server.log(), ['PUT "v0" key-1'])
  const fails = (): string => { throw new Error('no entropy') }
  await t.rejects(server.client.write('/1', 3, { etag: '"v1"', idempotencyKey: fails }), { message: 'no entropy' })
  await t.rejects(server.client.write('/1', 3, { etag: '"v1"', idempotencyKey: () => 'a\nb' }), TypeError)
  t.equal(server.sent.length, 1)
})

await t.test('idempotencyKey and the option resend: while every third answer to a write is lost, each change is confirmed and there once, and nothing is read after a lost answer (RFC 9110 13.1.1)', async (t) => {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(async () => { await app.close() })
  const resend = { caller: () => 'ada' }
  await app.register(ifMatch, { storage: memoryAdapter(), resend, create: 'if-none-match' })
  app.setErrorHandler(problemDetailsHandler())
  const config = { ifMatch: true as const }
  app.get('/logs/:id', { config }, async (request) => (await request.entity().read()).value)
  app.put('/logs/:id', { config }, async (request, reply) => {
    const { value, created } = await request.entity().replace(request.body)
    return await reply.code(created ? 201 : 200).send(value)
  })
  const address = await app.listen({ port: 0 })
  let [reads, writes, conflicts] = [0, 0, 0]
  const losing: Fetch = async (url, init) => {
    const response = await fetch(url, init)
    if (init.method === 'GET') reads++
    else if (++writes % 3 === 0) throw new TypeError('fetch failed')
    else if (response.status === 412) conflicts++
    return response
  }
  const client = createClient({ fetch: losing, idempotencyKey: () => crypto.randomUUID(), maxDelay: 0, retries: 1000 })
  const change = (name: string) => (log: string[]): void => { log.push(name) }
  const names = Array.from({ length: 12 }, (_, index) => `change ${index}`)
  await Promise.all([1, 2].map(async (id) => {
    const url = `${address}/logs/${id}`
    t.match(await client.create<string[]>(url, []), { outcome: 'confirmed' })
    for (const name of names) t.match(await client.update(url, change(name)), { outcome: 'confirmed' })
    t.strictSame((await client.read(url)).value, names)
  }))
  t.strictSame([reads, conflicts], [2 * (names.length + 1), 0], 'one read for each update, and the last one')
  t.ok(writes > 3 * names.length - 3, `${writes} writes for ${2 * (names.length + 1)} changes`)
})
