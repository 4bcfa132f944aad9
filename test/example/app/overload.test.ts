import { once } from 'node:events'
import type { Socket } from 'node:net'
import { mock } from 'node:test'
import { getHeapStatistics } from 'node:v8'
import t, { type Test } from 'tap'
import type { FastifyInstance, FastifyRequest, LightMyRequestResponse } from 'fastify'
import type { Limits } from '../../../example/app/limits.js'
import { oldGeneration } from '../../../example/app/pressure.js'
import type { Token } from '../../../example/app/tokens.js'
import { codeOf, loggedApp, newApp, OFFER, offersUrl, send } from '../../support/example/app.js'
import { listen } from '../../support/example/server-process.js'
import { countingStorage, heldStorage } from '../../support/example/storage.js'
import { answersOf, listeningApp, open } from '../../support/raw-socket.js'
import { until } from '../../support/until.js'

const BODY = JSON.stringify(OFFER)
const URL = offersUrl('/tide-db')
const GET = `GET ${URL} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer contoso-token\r\n`
const JSON_TYPE = { 'content-type': 'application/json' }

function head (id: string, token = 'contoso-token'): string {
  return [
    `PUT ${offersUrl(`/${id}`)} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'If-Match: *',
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
    '',
    ''
  ].join('\r\n')
}

/** Lets the process look as if its heap were full, or not. */
function fakeHeap (t: Test, full = 1e15): { fill: () => void, free: () => void } {
  let heapUsed = 0
  t.intercept(process, 'memoryUsage', { value: () => ({ heapUsed, rss: 0 }) })
  return { fill () { heapUsed = full }, free () { heapUsed = 0 } }
}

const FULL = { sampleMs: 5, maxHeapPercent: 90 }

async function overloaded (app: FastifyInstance): Promise<void> {
  await until('overload is noticed', async () => (await send(app, 'GET', '/api/offerTypes')).statusCode === 503)
}

/** The answer to the GET of the offer once the process keeps up again. */
async function rested (app: FastifyInstance): Promise<LightMyRequestResponse> {
  return await until('the end of it is noticed', async () => {
    const response = await send(app, 'GET', URL)
    return response.statusCode !== 503 && response
  })
}

await t.test('under pressure a request is 503 with Retry-After, ahead of its token and of the storage, and the tag stays', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const { fill, free } = fakeHeap(t)
  const app = await newApp(t, { storage, limits: FULL })
  const { headers: { etag } } = await send(app, 'PUT', URL, { ...JSON_TYPE, 'if-match': '*' }, BODY)
  fill()
  await overloaded(app)
  calls.length = 0
  const waits = new Set<string>()
  for (const [method, path, headers] of [
    ['PUT', '/tide-db', { 'if-match': '*' }],
    ['PUT', '/tide-db', { 'if-match': String(etag) }],
    ['PUT', '/other', { 'if-none-match': '*' }],
    ['POST', '/tide-db/publish', { 'if-match': '*' }],
    ['GET', '/tide-db', {}],
    ['GET', '/tide-db', { authorization: undefined }]
  ] as const) {
    const payload = method === 'PUT' ? BODY : undefined
    const response = await send(app, method, offersUrl(path), { ...payload && JSON_TYPE, ...headers }, payload)
    t.strictSame([response.statusCode, codeOf(t, response)], [503, 'Overloaded'])
    t.match(response.headers['retry-after'], /^[1-5]$/)
    t.match(response.headers, { 'cache-control': /no-/, 'x-content-type-options': 'nosniff', etag: undefined })
    t.match(response.json().error.message, /nothing was done/)
  }
  for (let asked = 0; asked < 40; asked++) waits.add(String((await send(app, 'GET', URL)).headers['retry-after']))
  t.ok(waits.size > 1, 'clients do not all come back at once')
  t.strictSame(calls, [])
  free()
  t.equal((await rested(app)).headers.etag, etag)
  t.equal((await send(app, 'GET', offersUrl('/other'))).statusCode, 404)
})

await t.test('the heap is full where the old generation is, to which V8 adds room for young objects (engine-facts#node-heap-limit)', async (t) => {
  const mb = (limit: number, version: string): number => oldGeneration(limit * 2 ** 20, version) / 2 ** 20
  t.strictSame([mb(148, '20.20.2'), mb(548, '22.23.5'), mb(692, '24.22.3')], [100, 500, 500])
  t.equal(mb(300, '24.22.3'), 150, 'at least half, where V8 adds less')
  const { heap_size_limit: limit } = getHeapStatistics()
  const { fill } = fakeHeap(t, limit * 0.9 - 1)
  const app = await newApp(t, { limits: FULL })
  fill()
  await overloaded(app)
})

await t.test('what was measured while the app started is no overload', async (t) => {
  const { fill } = fakeHeap(t)
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  fill()
  const app = await newApp(t, { limits: { sampleMs: 1000, maxHeapPercent: 90 } })
  await app.ready()
  mock.timers.tick(1000)
  t.equal((await send(app, 'PUT', URL, { ...JSON_TYPE, 'if-match': '*' }, BODY)).statusCode, 201)
  mock.timers.tick(1000)
  t.equal((await send(app, 'PUT', URL, { ...JSON_TYPE, 'if-match': '*' }, BODY)).statusCode, 503)
})

for (const [measure, limits] of [
  ['eventLoopDelay', { maxLoopDelayMs: 100 }],
  ['eventLoopUtilization', { maxLoopPercent: 90 }]
] as const) {
  await t.test(`an event loop that does not keep up is noticed: ${measure}`, async (t) => {
    const { app, lines } = await loggedApp(t, { limits: { sampleMs: 5, ...limits } })
    const { headers: { etag } } = await send(app, 'PUT', URL, { ...JSON_TYPE, 'if-match': '*' }, BODY)
    const word = new Int32Array(new SharedArrayBuffer(4))
    const blocking = setInterval(() => { Atomics.wait(word, 0, 0, 250) }, 1)
    t.teardown(() => { clearInterval(blocking) })
    await overloaded(app)
    const response = await send(app, 'PUT', URL, { ...JSON_TYPE, 'if-match': String(etag) }, BODY)
    t.strictSame([response.statusCode, codeOf(t, response)], [503, 'Overloaded'])
    clearInterval(blocking)
    t.equal((await rested(app)).headers.etag, etag)
    t.ok(lines.some((line) => line.includes(`"measure":"${measure}"`)))
  })
}

await t.test('a request whose body ends under pressure is refused, although its head came before, and nothing is written', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const { fill, free } = fakeHeap(t)
  const { app } = await listeningApp(t, { storage, limits: FULL })
  const socket = await open(t, app)
  const answer = listen(socket)
  const taken = once(app.server, 'request')
  socket.write(head('tide-db') + BODY.slice(0, -1))
  await taken
  fill()
  await overloaded(app)
  socket.write(BODY.slice(-1))
  await answer.says(/^HTTP\/1\.1 503 [^]*retry-after: [1-5]\r\n[^]*"Overloaded"/)
  t.strictSame(calls, [])
  free()
  await rested(app)
  t.equal((await send(app, 'PUT', URL, { ...JSON_TYPE, 'if-none-match': '*' }, BODY)).statusCode, 201)
})

await t.test('a write that has begun is answered as it ended, whatever the pressure by then', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'write')
  const { fill } = fakeHeap(t)
  const app = await newApp(t, { storage, limits: FULL })
  const writing = send(app, 'PUT', URL, { ...JSON_TYPE, 'if-match': '*' }, BODY)
  await begun
  fill()
  await overloaded(app)
  release()
  t.equal((await writing).statusCode, 201)
})

await t.test('under pressure /health, the page and the documents of the API are answered, and an address without a route', async (t) => {
  const { fill } = fakeHeap(t)
  const app = await newApp(t, { limits: FULL })
  fill()
  await overloaded(app)
  for (const [path, status] of [['/health', 200], ['/', 200], ['/docs/json', 200], ['/none', 404]] as const) {
    t.equal((await send(app, 'GET', path)).statusCode, status, path)
  }
})

await t.test('overload is one warning in the log for each measurement, not a failure for each request', async (t) => {
  const { fill } = fakeHeap(t)
  const { app, lines } = await loggedApp(t, { limits: FULL })
  fill()
  await overloaded(app)
  for (let sent = 0; sent < 5; sent++) await send(app, 'GET', URL)
  const logged = lines.map((line) => JSON.parse(line))
  const told = logged.filter(({ level }) => level >= 40).map(({ level, measure, msg }) => [level, measure, msg])
  t.strictSame(told, [[40, 'heapUsedBytes', 'overloaded']])
  t.ok(logged.filter(({ code }) => code === 'Overloaded').length > 5)
})

await t.test('429 with Retry-After above so many unfinished requests of a token, ahead of their bodies; others go on', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const { app } = await listeningApp(t, { storage, limits: { maxRequestsPerToken: 2 } })
  const slow: Socket[] = []
  for (let opened = 0; opened < 2; opened++) {
    const socket = await open(t, app)
    const taken = once(app.server, 'request')
    socket.write(head('tide-db') + BODY.slice(0, -1))
    await taken
    slow.push(socket)
  }
  const refused = await send(app, 'PUT', URL, { ...JSON_TYPE, 'if-match': '*' }, BODY)
  t.strictSame([refused.statusCode, codeOf(t, refused)], [429, 'TooManyRequests'])
  t.match(refused.headers['retry-after'], /^[1-9]$/)
  const third = await open(t, app)
  const early = listen(third)
  third.write(head('tide-db'))
  await early.says(/^HTTP\/1\.1 429 /)
  t.strictSame(calls, [])
  const authorization = 'Bearer fabrikam-token'
  for (let sent = 0; sent < 3; sent++) {
    const url = URL.replace('contoso', 'fabrikam')
    const response = await send(app, 'PUT', url, { ...JSON_TYPE, authorization, 'if-match': '*' }, BODY)
    t.ok(response.statusCode < 300)
  }
  t.equal((await send(app, 'GET', '/health')).statusCode, 200)
  const answer = listen(slow[0]!)
  slow[0]!.write(BODY.slice(-1))
  await answer.says(/HTTP\/1\.1 201 /)
  await until('its place is free', async () => (await send(app, 'GET', URL)).statusCode === 200)
})

/** A listening app with a route that answers once it is released, as that of a token if there is one. */
async function heldApp (t: Test, limits: Limits, token: Token | null) {
  const app = await newApp(t, { limits })
  let entered = 0
  let release!: () => void
  const released = new Promise<void>((resolve) => { release = resolve })
  const onRequest = async (request: FastifyRequest): Promise<void> => { Object.assign(request, { token }) }
  app.get('/held', { onRequest }, async () => {
    entered++
    await released
    return 'held'
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, release, entered: async (count: number) => await until('they are held', () => entered === count) }
}

const HELD = 'GET /held HTTP/1.1\r\nHost: localhost\r\n'

await t.test('requests of a pipeline count, and are forgotten with their connection', async (t) => {
  const { app, release, entered } = await heldApp(t, { maxRequestsPerToken: 3 }, { secret: 'x', roles: new Map() })
  const accepted = once(app.server, 'connection')
  const socket = await open(t, app)
  const [server] = await accepted
  socket.write(`${HELD}\r\n`.repeat(3))
  await entered(3)
  t.equal((await send(app, 'GET', '/held')).statusCode, 429)
  const closed = new Promise((resolve) => { server.once('close', resolve) })
  socket.resetAndDestroy()
  await closed
  const next = [1, 2, 3].map(async () => await send(app, 'GET', '/held'))
  release()
  t.strictSame((await Promise.all(next)).map(({ statusCode }) => statusCode), [200, 200, 200])
})

/** Sends these bytes on a connection of their own, waits until it holds, and hangs up; resolves once that is seen. */
async function hangUp (t: Test, app: FastifyInstance, bytes: string, held: Promise<unknown>): Promise<void> {
  const accepted = once(app.server, 'connection')
  const socket = await open(t, app)
  const [server] = await accepted
  socket.write(bytes)
  await held
  const closed = new Promise((resolve) => { server.once('close', resolve) })
  socket.resetAndDestroy()
  await closed
}

await t.test('a write whose client hung up counts until it is over, so that nobody has more at work by hanging up', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'write')
  const { app } = await listeningApp(t, { storage, limits: { maxRequestsPerToken: 1 } })
  await hangUp(t, app, head('tide-db') + BODY, begun)
  t.equal((await send(app, 'GET', URL)).statusCode, 429)
  release()
  await until('its place is free', async () => (await send(app, 'GET', URL)).statusCode !== 429)
})

await t.test('a request whose client hung up is forgotten after a minute, also if its handler never answers', async (t) => {
  const { app, entered } = await heldApp(t, { maxRequestsPerToken: 1 }, { secret: 'x', roles: new Map() })
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  await hangUp(t, app, `${HELD}\r\n`, once(app.server, 'request'))
  t.equal((await send(app, 'GET', '/held')).statusCode, 429)
  mock.timers.tick(60_000)
  void send(app, 'GET', '/held')
  mock.timers.reset()
  await entered(2)
})

await t.test('a request whose client hung up within its body is forgotten', async (t) => {
  const { app } = await listeningApp(t, { limits: { maxRequestsPerToken: 1 } })
  await hangUp(t, app, head('tide-db') + BODY.slice(0, -1), once(app.server, 'request'))
  await until('its place is free', async () => (await send(app, 'GET', URL)).statusCode === 404)
})

await t.test('without a token, the requests of a connection count', async (t) => {
  const { app, release, entered } = await heldApp(t, { maxRequestsPerToken: 2 }, null)
  const [socket, other] = [await open(t, app), await open(t, app)]
  socket.write(`${HELD}\r\n${HELD}\r\n${HELD}Connection: close\r\n\r\n`)
  const answers = answersOf(socket)
  other.write(`${HELD}Connection: close\r\n\r\n`)
  const others = answersOf(other)
  await entered(3)
  release()
  t.strictSame((await answers).map(({ status }) => status), [200, 200, 429])
  t.match((await answers)[2]!.body, 'This connection has 2 requests', 'who sent no token is told of none')
  t.strictSame((await others).map(({ status }) => status), [200])
})

await t.test('a client that takes nothing of its answer loses the connection; one that waits for the storage does not', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'read')
  const app = await newApp(t, { storage, limits: { answerMs: 50 } })
  app.get('/large', async () => Buffer.alloc(32 * 2 ** 20, 'x'))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const waiting = await open(t, app)
  waiting.write(`${GET}Connection: close\r\n\r\n`)
  await begun
  const accepted = once(app.server, 'connection')
  const deaf = await open(t, app)
  const [server] = await accepted
  deaf.on('error', () => {})
  const closed = once(server, 'close')
  deaf.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await closed
  release()
  t.strictSame((await answersOf(waiting)).map(({ status }) => status), [404])
})

await t.test('408 for a body that trickles longer than it may, and nothing is written', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const { app } = await listeningApp(t, { storage, limits: { requestMs: 50 } })
  const socket = await open(t, app)
  let sent = 0
  socket.write(head('tide-db'))
  const trickle = setInterval(() => { socket.write(BODY[sent++ % (BODY.length - 1)]!) }, 20)
  t.teardown(() => { clearInterval(trickle) })
  socket.on('error', () => {})
  const answer = listen(socket)
  await answer.says(/^HTTP\/1\.1 408 /)
  clearInterval(trickle)
  t.strictSame(calls, [])
})

await t.test('connections above the bound are closed, are told once in the log, and take nothing from the others', async (t) => {
  const { app, lines } = await loggedApp(t, { limits: { maxConnections: 1 } })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const accepted = once(app.server, 'connection')
  const first = await open(t, app)
  const [server] = await accepted
  const refuse = async (): Promise<void> => {
    const socket = await open(t, app)
    socket.on('error', () => {})
    await once(socket.resume(), 'close')
  }
  await refuse()
  await refuse()
  const told = (): number => lines.filter((line) => line.includes('connections are closed')).length
  t.equal(told(), 1)
  const closed = once(server, 'close')
  first.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  t.match(await answersOf(first), [{ status: 200 }])
  await closed
  const next = await open(t, app)
  next.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await listen(next).says(/^HTTP\/1\.1 200 /)
  await refuse()
  t.equal(told(), 2)
})
