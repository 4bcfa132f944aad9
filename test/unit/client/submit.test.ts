import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { ConflictError, createClient, OutcomeUnknownError } from '../../../lib/client/index.js'
import { keyed, repeated, superseded } from '../../support/client/keyed.js'
import { pauses } from '../../support/client/pauses.js'
import {
  after, answered, late, lostAnswer, neverSent, stubServer, type Step
} from '../../support/client/stub-server.js'

const V0 = { etag: '"v0"' }
const unknown = (seen: string, more = {}) => ({ name: 'OutcomeUnknownError', code: 'OUTCOME_UNKNOWN', seen, ...more })

await t.test('a lost answer: it reads before anything is sent again, and finds what was applied', async (t) => {
  for (const lost of [lostAnswer, (apply) => { apply(); return new Response(null, { status: 500 }) }] as Step[]) {
    const server = stubServer(t, { a: 1 })
    server.steps.push(lost)
    const written = await createClient(server).write('/1', { b: [2], a: 2 }, V0)
    t.strictSame(written, { value: { b: [2], a: 2 }, etag: '"v1"', outcome: 'found' })
    t.strictSame(server.log(), ['PUT "v0"', 'GET'])
  }
})

await t.test('a lost request: the version is the old one, so it is sent again under the same tag, and confirmed', async (t) => {
  for (const lost of [neverSent, answered(500), answered(502), answered(503), answered(504)]) {
    const server = stubServer(t, { a: 1 })
    server.steps.push(lost)
    t.match(await createClient(server).write('/1', { a: 2 }, V0), { etag: '"v1"', outcome: 'confirmed' })
    t.strictSame(server.log(), ['PUT "v0"', 'GET', 'PUT "v0"'])
  }
})

await t.test('a request that arrives late, ahead of the one that was sent again, is applied once: its 412 is no conflict', async (t) => {
  const server = stubServer(t, { a: 1 })
  const [first, again] = late()
  server.steps.push(first, (apply) => apply(), again)
  t.match(await createClient(server).write('/1', { a: 2 }, V0), { etag: '"v1"', outcome: 'found' })
  t.strictSame(server.log(), ['PUT "v0"', 'GET', 'PUT "v0"', 'GET'])
  t.equal(server.stored.tag, '"v1"')
})

await t.test('another version with another value: it cannot know, sends nothing more, and says OUTCOME UNKNOWN with what it knows', async (t) => {
  for (const lost of [lostAnswer, neverSent]) {
    const server = stubServer(t, { a: 1 })
    server.steps.push(lost, after(() => { server.store({ a: 3 }) }))
    const writing = createClient(server).write('/1', { a: 2 }, V0)
    await t.rejects(writing, OutcomeUnknownError)
    await t.rejects(writing, unknown('changed', {
      message: /^PUT \/1: OUTCOME UNKNOWN\. The entity was changed, by this/,
      sent: { a: 2 },
      current: { value: { a: 3 } },
      cause: { code: 'NO_ANSWER' },
      status: undefined
    }))
    t.strictSame(server.log(), ['PUT "v0"', 'GET'])
  }
})

await t.test('what is seen after a lost answer: nothing, no entity, or the old version until the tries are used up', async (t) => {
  const server = stubServer(t, { a: 1 })
  const client = createClient({ ...server, retries: 1 })
  server.steps.push(lostAnswer, neverSent)
  await t.rejects(client.write('/1', { a: 2 }, V0), unknown('unread', { current: undefined }))
  server.steps.push(lostAnswer, after(() => { server.store(undefined) }))
  await t.rejects(client.write('/1', { a: 2 }, { etag: '"v1"' }), unknown('absent', { current: undefined }))
  server.store({ a: 1 })
  const etag = server.stored.tag!
  server.steps.push(neverSent, (apply) => apply(), answered(500))
  await t.rejects(client.write('/1', { a: 2 }, { etag }), unknown('base', { status: 500, current: { etag } }))
  t.equal(server.sent.length, 2 + 2 + 4)
})

await t.test('what was read about an earlier try is not told as what is known about a later one', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push(neverSent, (apply) => apply(), lostAnswer, answered(403))
  const writing = createClient(server).write('/1', { a: 2 }, V0)
  await t.rejects(writing, unknown('unread', { current: undefined, status: 403 }))
})

await t.test('a refusal after a lost answer is not taken for the answer to the first request', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push(neverSent, (apply) => apply(), answered(401))
  await t.rejects(createClient(server).write('/1', { a: 2 }, V0), unknown('base', { status: 401 }))
})

await t.test('a 503 with Retry-After and a code of the plugin, and a 429 with Retry-After, was certainly not applied: it is sent again without a read, and with none of these not', async (t) => {
  const server = stubServer(t, { a: 1 })
  const busy = (body: object): Step => answered(503, { 'retry-after': '0' }, body)
  server.steps.push(
    busy({ code: 'FST_IF_MATCH_CONTENTION' }),
    answered(429, { 'retry-after': '0' }),
    busy({ error: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' } })
  )
  t.match(await createClient(server).write('/1', { a: 2 }, V0), { outcome: 'confirmed' })
  t.strictSame(server.log(), ['PUT "v0"', 'PUT "v0"', 'PUT "v0"', 'PUT "v0"'])
  server.steps.push(answered(429))
  await t.rejects(createClient(server).write('/1', { a: 3 }, { etag: '"v1"' }), { name: 'RequestError', status: 429 })
})

await t.test('any other 503 with Retry-After may have been applied: it waits and reads, so a counter is not raised twice (RFC 9110 15.6.4)', async (t) => {
  const headers = { 'retry-after': '0' }
  const bodies = [
    '', '<h1>Backend fetch failed</h1>', '{"code":"FST_IF_MATCH_OUTCOME_UNKNOWN"}', '{"code":"CONTENTION"}',
    '{"error":{"code":"ServiceUnavailable"}}', '{"code":"FST_IF_MATCH_CONTENTION_2"}'
  ]
  for (const body of bodies) {
    const server = stubServer(t, { n: 1 })
    const waited = pauses(t, 0)
    server.steps.push((apply) => apply(), (apply) => {
      apply()
      return new Response(body, { status: 503, headers: { 'retry-after': '3' } })
    })
    const raising = createClient(server).update<{ n: number }>('/1', (doc) => { doc.n++ })
    await t.rejects(raising, unknown('changed', { status: 503 }), body)
    t.strictSame([server.stored.value, server.log()], [{ n: 2 }, ['GET', 'PUT "v0"', 'GET']], body)
    t.ok(waited.includes(3000), 'the Retry-After is waited for')
  }
  const server = stubServer(t, { a: 1 })
  server.steps.push(answered(503, {}, { code: 'FST_IF_MATCH_CONTENTION' }), (apply) => apply(), answered(503, headers))
  t.match(await createClient(server).write('/1', { a: 2 }, V0), { outcome: 'confirmed' })
  t.strictSame(server.log(), ['PUT "v0"', 'GET', 'PUT "v0"', 'GET', 'PUT "v0"'], 'a code without Retry-After, too')
})

await t.test('refusalCodes: a 503 with Retry-After and one of them was certainly not applied, too; without Retry-After, or with another status, it says nothing', async (t) => {
  const server = stubServer(t, { a: 1 })
  const client = createClient({ ...server, refusalCodes: ['StorageUnavailable', 'HTTP_500'] })
  const headers = { 'retry-after': '0' }
  const body = { error: { code: 'StorageUnavailable' } }
  server.steps.push(answered(503, headers, body))
  await client.write('/1', { a: 2 }, V0)
  t.strictSame(server.log(), ['PUT "v0"', 'PUT "v0"'])
  for (const said of [answered(503, {}, body), answered(500, headers), answered(502, headers, body)]) {
    server.sent.length = 0
    server.steps.push(said)
    await client.write('/1', { a: 2 }, { etag: server.stored.tag! })
    t.match(server.log(), [/^PUT/, 'GET', /^PUT/])
  }
  server.sent.length = 0
  server.steps.push(answered(503, headers, { code: 'FST_IF_MATCH_CONTENTION' }), answered(503, headers, body))
  await client.write('/1', { a: 2 }, { etag: server.stored.tag!, refusalCodes: [] })
  t.match(server.log(), [/^PUT/, /^PUT/, 'GET', /^PUT/], 'those of the plugin are always among them')
})

await t.test('a lost answer whose Retry-After is too long is not waited for: it reads once', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push(answered(503, { 'retry-after': '31' }))
  await t.rejects(createClient(server).write('/1', { a: 2 }, V0), unknown('base', { status: 503 }))
  t.strictSame(server.log(), ['PUT "v0"', 'GET'])
})

/** This answer, carried out or not. */
const answer = (isCarriedOut: boolean, make: () => Response): Step => (apply) => {
  if (isCarriedOut) apply()
  return make()
}
const followed = (): Response => Object.defineProperty(new Response('{}'), 'redirected', { value: true })

await t.test('a redirect of a write confirms nothing, followed or hidden or seen, and neither does 202: it reads once, and compares (RFC 9110 15.3.3, 15.4.4)', async (t) => {
  const answers: Array<() => Response> = [
    followed, () => Response.error(), ...[202, 300, 301, 302, 303, 304, 307, 308].map((status) =>
      () => new Response(null, { status, headers: { location: '/2', etag: '"x"' } }))
  ]
  for (const make of answers) {
    const server = stubServer(t, { a: 1 })
    server.steps.push(answer(true, make))
    const client = createClient(server)
    t.strictSame(await client.write('/1', { a: 2 }, V0), { value: { a: 2 }, etag: '"v1"', outcome: 'found' })
    server.steps.push(answer(false, make))
    const status = make().status || 303
    const expected = { status: make === followed ? 303 : status, current: { value: { a: 2 } } }
    await t.rejects(client.write('/1', { a: 3 }, { etag: '"v1"' }), unknown('base', expected))
    t.strictSame(server.log(), ['PUT "v0"', 'GET', 'PUT "v1"', 'GET'])
  }
})

await t.test('a PUT that a real server answers with 303 is not followed by a GET whose 200 would confirm it (RFC 9110 15.4.4)', async (t) => {
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.method === 'PUT') response.writeHead(303, { location: '/seen' }).end()
    else response.writeHead(200, { etag: '"v0"' }).end('{"a":1}')
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/1`
  await t.rejects(createClient().write(url, { a: 2 }, V0), unknown('base', { status: 303 }))
  t.strictSame(asked, ['PUT /1', 'GET /1'])
})

await t.test('an answer whose words are no texts is an answer all the same: what it lost is read', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push(answer(true, () => new Response('{"message":{"toString":null}}', { status: 500 })))
  t.match(await createClient(server).write('/1', { a: 2 }, V0), { outcome: 'found' })
})

await t.test('the retries are those of the call: its reads use them up, too', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push(...Array.from({ length: 9 }, () => neverSent))
  const client = createClient({ ...server, retries: 2 })
  await t.rejects(client.write('/1', { a: 2 }, V0), unknown('unread', { cause: { code: 'NO_ANSWER' } }))
  t.strictSame(server.log(), ['PUT "v0"', 'GET', 'GET'])
  await t.rejects(client.read('/1'), { code: 'NO_ANSWER' })
  t.equal(server.sent.length, 6)
})

await t.test('a 503 that is certain ends the call once its tries are used up, or the wait would be too long: as an error that is certain', async (t) => {
  const server = stubServer(t, { a: 1 })
  const busy = answered(503, { 'retry-after': '0' }, { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  server.steps.push(busy, busy)
  const certain = { name: 'RequestError', status: 503, code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }
  await t.rejects(createClient({ ...server, retries: 1 }).write('/1', 2, V0), certain)
  server.steps.push(answered(503, { 'retry-after': '31' }, { code: 'FST_IF_MATCH_CONTENTION' }))
  await t.rejects(createClient(server).write('/1', 2, V0), { name: 'RequestError', retryAfter: 31_000 })
  t.equal(server.sent.length, 3)
  server.steps.push(neverSent, (apply) => apply(), busy)
  const writing = createClient({ ...server, retries: 1 }).write('/1', 2, V0)
  await t.rejects(writing, unknown('base'), 'not after a lost answer')
})

await t.test('a Retry-After is waited for ahead of the next try, of a read as of a write (RFC 9110 10.2.3)', async (t) => {
  const server = stubServer(t, { a: 1 })
  const waited = pauses(t, 0)
  const inSeconds = (seconds: number): Step =>
    answered(503, { 'retry-after': String(seconds) }, { code: 'FST_IF_MATCH_CONTENTION' })
  const client = createClient({ ...server, timeout: 1_000_000 })
  server.steps.push(inSeconds(7), (apply) => apply(), inSeconds(9))
  await client.write('/1', { a: 2 }, V0)
  await client.read('/1').then(() => client.read('/1'))
  t.strictSame(waited.filter((milliseconds) => milliseconds !== 1_000_000), [7000, 9000])
})

await t.test('OUTCOME_UNKNOWN of the plugin is a 503 without Retry-After: it reads', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push((apply) => {
    apply()
    return new Response('{"code":"FST_IF_MATCH_OUTCOME_UNKNOWN"}', { status: 503 })
  })
  t.match(await createClient(server).write('/1', { a: 2 }, V0), { outcome: 'found' })
})

await t.test('a refusal by the server is passed on at once: nothing was applied', async (t) => {
  const server = stubServer(t, { a: 1 })
  for (const status of [400, 401, 403, 404, 409, 413, 422, 428]) {
    server.steps.push(answered(status, {}, { code: 'NO' }))
    await t.rejects(createClient(server).write('/1', 2, V0), { name: 'RequestError', status, code: 'NO' })
  }
  t.equal(server.sent.length, 8)
})

await t.test('a 412 to the only request is certain: it is a conflict', async (t) => {
  const server = stubServer(t, { a: 1 })
  await t.rejects(createClient(server).write('/1', 2, { etag: '"x"' }), { name: 'ConflictError', status: 412 })
})

await t.test('a success without a body gives what was sent; one without a tag has none; one whose body breaks off is a success', async (t) => {
  const server = stubServer(t, { a: 1 })
  const client = createClient(server)
  const cut = new ReadableStream({ start (controller) { controller.error(new Error('cut')) } })
  const broken: Step = () => new Response(cut, { headers: { etag: '"m"' } })
  server.steps.push(answered(204, { etag: '"n"' }), answered(204), broken)
  const expected = [{ etag: '"n"' }, { etag: undefined }, { etag: '"m"' }]
  for (const { etag } of expected) {
    t.strictSame(await client.write('/1', { a: 2 }, V0), { value: { a: 2 }, etag, outcome: 'confirmed' })
  }
})

await t.test('a call that is aborted rejects with the reason before a write was sent, and with OUTCOME UNKNOWN after', async (t) => {
  const server = stubServer(t, { a: 1 })
  const controller = new AbortController()
  const { signal } = controller
  server.steps.push((apply, init) => {
    apply()
    controller.abort(new Error('enough'))
    throw init.signal.reason
  })
  const writing = createClient(server).write('/1', 2, { ...V0, signal })
  await t.rejects(writing, unknown('unread', { cause: { message: 'enough' } }))
  await t.rejects(createClient(server).write('/1', 2, { ...V0, signal }), { message: 'enough', code: undefined })
  t.equal(server.sent.length, 1)
})

await t.test('a call that is aborted with no reason at all is unknown as well', async (t) => {
  const server = stubServer(t, { a: 1 })
  const controller = new AbortController()
  server.steps.push(() => {
    controller.abort(null)
    throw new TypeError('fetch failed')
  })
  const writing = createClient(server).write('/1', 2, { ...V0, signal: controller.signal })
  await t.rejects(writing, unknown('unread', { cause: null }))
})

await t.test('isApplied decides once the version has changed: found, a conflict that is certain, or unknown', async (t) => {
  for (const verdict of [true, false, undefined]) {
    const server = stubServer(t, { a: 1 })
    server.steps.push(neverSent, after(() => { server.store({ a: 3 }) }))
    const asked: unknown[] = []
    const isApplied = (current: unknown, sent: unknown) => {
      asked.push([current, sent])
      return verdict
    }
    const writing = createClient(server).write<unknown>('/1', { a: 2 }, { ...V0, isApplied })
    if (verdict === true) t.match(await writing, { value: { a: 3 }, etag: '"v1"', outcome: 'found' })
    else if (verdict === undefined) await t.rejects(writing, unknown('changed'))
    else {
      await t.rejects(writing, {
        name: 'ConflictError',
        code: 'NOT_APPLIED',
        status: undefined,
        current: { value: { a: 3 } },
        cause: { code: 'NO_ANSWER' }
      })
    }
    t.strictSame(asked, [[{ a: 3 }, { a: 2 }]])
    t.strictSame(server.log(), ['PUT "v0"', 'GET'])
  }
})

await t.test('isApplied is not asked about an entity that is gone: nobody can tell', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push(neverSent, after(() => { server.store(undefined) }))
  const isApplied = () => t.fail('asked') as boolean
  const writing = createClient(server).write<unknown>('/1', 2, { ...V0, isApplied })
  await t.rejects(writing, unknown('absent', { cause: { code: 'NO_ANSWER' } }))
})

await t.test('what was sent is compared as it went over the wire: with dates as texts', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push(lostAnswer)
  const value: unknown = { at: new Date(0), none: undefined }
  t.match(await createClient(server).write('/1', value, V0), { outcome: 'found' })
})

await t.test('an isApplied that throws leaves the outcome unknown', async (t) => {
  const server = stubServer(t, { a: 1 })
  server.steps.push(neverSent, after(() => { server.store({ a: 3 }) }))
  const isApplied = () => { throw new Error('flaw') }
  const writing = createClient(server).write<unknown>('/1', { a: 2 }, { ...V0, isApplied })
  await t.rejects(writing, unknown('changed', { cause: { message: 'flaw' } }))
})

await t.test('idempotencyKey: after a lost answer the very same request is sent again, with its key, and nothing is read', async (t) => {
  for (const lost of [lostAnswer, neverSent, answered(502), answered(503, { 'retry-after': '0' })]) {
    const server = keyed(t, { a: 1 })
    server.steps.push(lost, lost, repeated({ a: 2 }))
    const written = await server.client.write('/1', { a: 2 }, V0)
    t.strictSame(written, { value: { a: 2 }, etag: '"v1"', outcome: 'confirmed' })
    t.strictSame(server.log(), Array(3).fill('PUT "v0" key-1'))
    const [first, ...again] = server.sent
    t.strictSame(again, [first, first])
  }
  const server = keyed(t)
  server.steps.push(lostAnswer, repeated(1))
  t.match(await server.client.create('/1', 1), { outcome: 'confirmed' })
  t.strictSame(server.log(), ['PUT * key-1', 'PUT * key-1'])
})

await t.test('idempotencyKey: a 412 that says ownWrite is success, whichever answer was lost: the change was applied, and changed since', async (t) => {
  const isApplied = (): boolean => false
  const below = answered(412, {}, { error: { code: 'PreconditionFailed', ownWrite: 'current' } })
  for (const steps of [[lostAnswer, superseded], [superseded], [below]]) {
    const server = keyed(t, { a: 1 })
    server.store({ a: 3 })
    server.steps.push(...steps)
    const written = await server.client.write<unknown>('/1', { a: 2 }, { ...V0, isApplied })
    t.strictSame(written, { value: server.stored.value, etag: server.stored.tag, outcome: 'found' })
  }
  const server = keyed(t, { a: 1 })
  server.store({ a: 3 })
  server.steps.push(superseded)
  const writing = server.client.write('/1', { a: 2 }, { ...V0, idempotencyKey: undefined })
  await t.rejects(writing, ConflictError, 'without a key it may be that of another one')
  t.match(await writing.catch((error: unknown) => error), { ownWrite: 'superseded' }, 'but it is told')
  server.steps.push(superseded, after(() => { server.store(undefined) }))
  await t.rejects(server.client.write('/1', { a: 2 }, V0), unknown('absent', { status: 412 }))
  server.steps.push(superseded, answered(403))
  await t.rejects(server.client.write('/1', { a: 2 }, V0), unknown('unread', { status: 403 }), 'never a refusal')
})
