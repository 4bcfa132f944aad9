import { getEventListeners, once } from 'node:events'
import t from 'tap'
import { exchange, type Call } from '../../../lib/client/exchange.js'
import type { FetchInit } from '../../../lib/client/types.js'
import { answered, stubServer } from '../../support/client/stub-server.js'

const GET = { method: 'GET', url: 'https://a.test/1' }
const fails = async (): Promise<never> => { throw new TypeError('fetch failed') }

/** A fetch that waits until its signal ends it. */
async function silent (_url: string, { signal }: FetchInit): Promise<Response> {
  await once(signal, 'abort')
  throw signal.reason
}

await t.test('an answer has its status, its tag exactly as it was received, and its body as text', async (t) => {
  const server = stubServer(t, { a: 1 })
  const answer = { status: 200, etag: '"v0"', text: '{"a":1}', retryAfter: undefined }
  t.strictSame(await exchange({ client: server }, GET), answer)
  for (const etag of ['W/"x,y;gzip"', '""', '"!#~\\\x80\xff"']) {
    server.steps.push(answered(200, { etag }))
    t.equal((await exchange({ client: server }, GET)).etag, etag)
  }
})

await t.test('a body is sent as it is', async (t) => {
  const server = stubServer(t, 1)
  await exchange({ client: server }, { ...GET, method: 'PUT', headers: { 'if-match': '"v0"' }, body: '{"a":2}' })
  t.strictSame(server.stored.value, { a: 2 })
})

await t.test('a request leaves no listener behind at the signal of its call', async (t) => {
  const { signal } = new AbortController()
  await exchange({ client: stubServer(t, 1), signal }, GET)
  await exchange({ client: { fetch: fails }, signal }, GET)
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

await t.test('headers: of the client, then of the call, and the precondition last, which none of them replaces', async (t) => {
  const server = stubServer(t, 1)
  let renewed = 0
  const headers = async () => ({ authorization: `token ${++renewed}`, 'x-a': 'client', 'If-Match': '*' })
  const call: Call = { client: { ...server, headers }, headers: { 'X-A': 'call', 'if-match': '"forged"' } }
  for (let count = 0; count < 2; count++) await exchange(call, { ...GET, headers: { 'if-match': '"v0"' } })
  t.match(server.sent.map(({ headers }) => headers), [1, 2].map((count) => (
    { accept: 'application/json', authorization: `token ${count}`, 'x-a': 'call', 'if-match': '"v0"' }
  )))
  await exchange({ client: { ...server, headers: { accept: 'application/vnd.a+json' } } }, GET)
  t.equal(server.sent[2]?.headers.accept, 'application/vnd.a+json')
})

await t.test('Retry-After is seconds or a date, also one that is over (RFC 9110 10.2.3); what is neither is none', async (t) => {
  const server = stubServer(t, 1)
  t.intercept(Date, 'now', { value: () => Date.parse('2026-03-01T00:00:00Z') })
  const cases: Array<[string, number | undefined]> = [
    ['7', 7000], ['0', 0], ['Sun, 01 Mar 2026 00:00:09 GMT', 9000], ['Sun, 01 Mar 2020 00:00:00 GMT', 0],
    ['soon', undefined], ['', undefined]
  ]
  for (const [header, expected] of cases) {
    server.steps.push(answered(503, { 'retry-after': header }))
    t.equal((await exchange({ client: server }, GET)).retryAfter, expected, header)
  }
})

await t.test('no answer is the status 0 with its cause: a connection that fails, a timeout, a call that is aborted', async (t) => {
  t.match(await exchange({ client: { fetch: fails } }, GET), { status: 0, cause: { message: 'fetch failed' } })
  const late = await exchange({ client: { fetch: silent }, timeout: 1 }, GET)
  t.match(late, { status: 0, cause: { message: 'no answer within 1 ms' } })
  const controller = new AbortController()
  const asked = async (url: string, init: FetchInit): Promise<Response> => {
    queueMicrotask(() => { controller.abort(new Error('enough')) })
    return await silent(url, init)
  }
  const aborted = await exchange({ client: { fetch: asked }, signal: controller.signal }, GET)
  t.match(aborted, { status: 0, cause: { message: 'enough' } })
})

await t.test('a timeout of Infinity is none: a longer timer would fire at once (engine-facts#node-timer-limit)', async (t) => {
  const server = stubServer(t, 1)
  const waited: unknown[] = []
  const { setTimeout } = globalThis
  t.intercept(globalThis, 'setTimeout', {
    value: (then: () => void, milliseconds: number) => {
      waited.push(milliseconds)
      return setTimeout(then, milliseconds)
    }
  })
  await exchange({ client: server, timeout: Infinity }, GET)
  t.ok(waited.includes(2 ** 31 - 1))
})

await t.test('what fails ahead of the request rejects: it is certain that nothing was sent', async (t) => {
  const server = stubServer(t, 1)
  const signal = AbortSignal.abort(new Error('enough'))
  await t.rejects(exchange({ client: server, signal }, GET), { message: 'enough' })
  await t.rejects(exchange({ client: server, headers: { 'bad name': 'x' } }, GET), TypeError)
  await t.rejects(exchange({ client: { ...server, headers: fails } }, GET), { message: 'fetch failed' })
  t.equal(server.sent.length, 0)
})

await t.test('headers that never come are waited for until the timeout, or until the signal: then nothing is sent', async (t) => {
  const server = stubServer(t, 1)
  let come: (headers: Record<string, string>) => void
  const headers = async (): Promise<Record<string, string>> => await new Promise((resolve) => { come = resolve })
  const client = { ...server, headers }
  await t.rejects(exchange({ client, timeout: 1 }, GET), { message: 'no answer within 1 ms' })
  come!({})
  const controller = new AbortController()
  const { signal } = controller
  const asking = exchange({ client, signal }, GET)
  controller.abort(new Error('enough'))
  await t.rejects(asking, { message: 'enough' })
  come!({})
  const both = new AbortController()
  const late = exchange({ client: { ...server, headers: () => ({}) }, signal: both.signal }, GET)
  both.abort(new Error('both at once'))
  await t.rejects(late, { message: 'both at once' })
  await new Promise(setImmediate)
  t.equal(server.sent.length, 0)
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

await t.test('a redirect of a write that another fetch followed, or a browser hides, is a 303; one of a read is followed (RFC 9110 15.4.4)', async (t) => {
  const followed = (): Response => Object.defineProperty(new Response('{}'), 'redirected', { value: true })
  for (const [make, read] of [[followed, 200], [() => Response.error(), 0]] as const) {
    const client = { fetch: async () => make() }
    t.match(await exchange({ client }, { ...GET, method: 'PUT' }), { status: 303 })
    t.match(await exchange({ client }, GET), { status: read })
  }
})

await t.test('what is read comes past the HTTP cache, where the platform knows how: others refuse the member (RFC 9111 4)', async (t) => {
  const seen: unknown[] = []
  const fetch = async (_url: string, init: FetchInit): Promise<Response> => {
    seen.push([init.method, init.cache, init.redirect])
    return new Response()
  }
  const { Request } = globalThis
  class WithoutCache {}
  for (const value of [Request, WithoutCache]) {
    t.intercept(globalThis, 'Request', { value, configurable: true })
    await exchange({ client: { fetch } }, GET)
  }
  await exchange({ client: { fetch } }, { ...GET, method: 'PUT' })
  const plain = ['GET', undefined, 'follow']
  t.strictSame(seen, [['GET', 'no-store', 'follow'], plain, ['PUT', undefined, 'manual']])
})

await t.test('a body that breaks off leaves the status and the tag: what happened is known', async (t) => {
  const body = new ReadableStream({ start (controller) { controller.error(new Error('cut')) } })
  const fetch = async () => new Response(body, { headers: { etag: '"n"' } })
  t.match(await exchange({ client: { fetch } }, GET), { status: 200, etag: '"n"', text: undefined })
})

await t.test('without a fetch of its own it takes that of the platform, as it is at that moment', async (t) => {
  const server = stubServer(t, 'here')
  t.intercept(globalThis, 'fetch', { value: server.fetch })
  t.match(await exchange({ client: {} }, GET), { text: '"here"' })
})
