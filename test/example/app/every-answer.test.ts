import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { OFFER, offersUrl } from '../../support/example/app.js'
import { heldStorage } from '../../support/example/storage.js'
import { answersOf, exchange, listeningApp, open, type RawAnswer } from '../../support/raw-socket.js'
import { listen } from '../../support/example/server-process.js'

const HOST = 'Host: localhost\r\n'
const LAST = `${HOST}Connection: close\r\n`
const ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const BODY = JSON.stringify(OFFER)
const OFFER_URL = offersUrl('/tide-db')

/** Asserts what every refusal has, and that the log has it under the same id. Gives its code and message. */
function assertRefusal (
  t: Test,
  answer: RawAnswer | undefined,
  status: number,
  logged: Array<{ reqId: string }>,
  name: string
): string {
  t.match(
    answer,
    {
      status,
      headers: {
        date: /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/, // RFC 9110 6.6.1
        'content-type': 'application/json; charset=utf-8',
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'x-ms-correlation-request-id': ID
      }
    },
    name
  )
  const { error, ...rest } = JSON.parse(answer!.body)
  t.strictSame([Object.keys(error), rest], [['code', 'message'], {}], name)
  t.ok(
    logged.some(({ reqId }) => reqId === answer!.headers['x-ms-correlation-request-id']),
    `${name}: logged`
  )
  return `${error.code}: ${error.message}`
}

/** The head of a PUT, but for the empty line at its end. */
function put (id: string, headers = ''): string {
  const own = 'Authorization: Bearer contoso-token\r\nIf-Match: *\r\nContent-Type: application/json\r\n'
  return `PUT ${offersUrl(`/${id}`)} HTTP/1.1\r\n${HOST}${own}${headers}`
}

/** The status of a GET of the offer: whether it was written. */
async function statusOfOffer (t: Test, app: FastifyInstance): Promise<number> {
  const head = `GET ${OFFER_URL} HTTP/1.1\r\n${LAST}Authorization: Bearer contoso-token\r\n\r\n`
  return (await exchange(t, app, head))[0]!.status
}

await t.test('refusals ahead of every hook have the headers, the form and the id of all others', async (t) => {
  const { app, logged } = await listeningApp(t)
  const requests: Array<[number, string, RegExp]> = [
    [400, `GET /%zz HTTP/1.1\r\n${LAST}\r\n`, /percent/],
    [400, `GET ${offersUrl('/%zz')} HTTP/1.1\r\n${LAST}\r\n`, /percent/],
    [400, `FOO / HTTP/1.1\r\n${HOST}\r\n`, /HTTP/],
    [400, 'nonsense\r\n\r\n', /HTTP/],
    [400, `GET / HTTP/1.1\r\n${HOST}If-Match: "a\u0001"\r\n\r\n`, /HTTP/],
    [400, `PUT / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, /HTTP/],
    [431, `GET / HTTP/1.1\r\n${HOST}If-Match: "${'x'.repeat(20_000)}"\r\n\r\n`, /16 KB/],
    [431, `GET / HTTP/1.1\r\n${HOST}If-Match: "${'x'.repeat(2_000_000)}"\r\n\r\n`, /16 KB/],
    [417, `GET /health HTTP/1.1\r\n${LAST}Expect: foo\r\n\r\n`, /Expect/],
    [417, `${put('a')}Expect: foo\r\nContent-Length: ${BODY.length}\r\n\r\n`, /Expect/],
    [417, `GET /health HTTP/1.1\r\n${LAST}Expect: 100-continue, foo\r\n\r\n`, /Expect/],
    [400, 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', /Host/],
    [400, `GET /health HTTP/1.1\r\n${LAST}Host: other\r\n\r\n`, /Host/],
    [400, `GET /health HTTP/1.0\r\n${HOST}Host: other\r\n\r\n`, /Host/],
    [404, `OPTIONS * HTTP/1.1\r\n${LAST}\r\n`, /OPTIONS/],
    [404, `GET http://localhost/nowhere HTTP/1.1\r\n${LAST}\r\n`, /GET/],
    [400, `GET http://localhost/%zz HTTP/1.1\r\n${LAST}\r\n`, /percent/],
    [401, `GET http://localhost${OFFER_URL} HTTP/1.1\r\n${LAST}\r\n`, /bearer/],
    [400, `GET nowhere HTTP/1.1\r\n${LAST}\r\n`, /HTTP/]
  ]
  for (const [status, request, message] of requests) {
    const name = request.slice(0, 60)
    const answers = (await exchange(t, app, request)).filter(({ status }) => status !== 100)
    t.equal(answers.length, 1, name)
    const told = assertRefusal(t, answers[0], status, logged(), name)
    t.match(told, message, name)
    t.notMatch(told, /zz|yyy/, 'the address is not in it')
  }
})

await t.test('a parameter over maxParamLength: 414 in the same form', async (t) => {
  const { app, logged } = await listeningApp(t)
  // More than Node takes in a head is refused by Node; only a request that is not read from a connection gets this far.
  const { statusCode: status, headers, body } = await app.inject(offersUrl(`/${'y'.repeat(16_385)}`))
  const told = assertRefusal(t, { status, headers: headers as Record<string, string>, body }, 414, logged(), '414')
  t.notMatch(told, /yyy/)
})

await t.test('Expect: 100-continue is still answered with 100, and the request is served (RFC 9110 10.1.1)', async (t) => {
  const { app } = await listeningApp(t)
  for (const expect of ['100-continue', '100-Continue']) {
    const socket = await open(t, app)
    const answer = listen(socket)
    const length = `Content-Length: ${BODY.length}\r\nConnection: close\r\n`
    socket.write(`${put(expect.toLowerCase(), `Expect: ${expect}\r\n${length}`)}\r\n`)
    await answer.says(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
    const ended = once(socket, 'end')
    socket.write(BODY)
    await ended
    t.match(answer.text(), /HTTP\/1\.1 20[01] /)
  }
  const [got] = await exchange(t, app, 'GET /health HTTP/1.0\r\nExpect: foo\r\n\r\n')
  t.equal(got!.status, 200, 'HTTP/1.0 knows no expectations, and needs no Host')
  const [absolute] = await exchange(t, app, `GET http://elsewhere/health HTTP/1.1\r\n${LAST}\r\n`)
  t.equal(absolute!.status, 200, 'absolute form (RFC 9112 3.2.2)')
})

await t.test('garbage behind a write does not overtake its answer: the write is answered as it was done', async (t) => {
  for (const [status, garbage] of [
    [400, 'nonsense\r\n\r\n'],
    [431, `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`]
  ] as const) {
    const { storage, begun, release } = await heldStorage(t, 'write')
    const { app, logged } = await listeningApp(t, { storage })
    const socket = await open(t, app)
    socket.write(`${put(`tide-${status}`)}Content-Length: ${BODY.length}\r\n\r\n${BODY}`)
    await begun
    const seen = once(app.server, 'clientError')
    socket.write(garbage)
    await seen
    release()
    const answers = await answersOf(socket)
    t.equal(answers[0]!.status, 201)
    t.match(JSON.parse(answers[0]!.body), { id: `tide-${status}` })
    t.equal(answers.length, 2)
    assertRefusal(t, answers[1], status, logged(), garbage.slice(0, 20))
  }
})

await t.test('garbage behind a request with Connection: close: its answer ends the connection, and nothing follows it', async (t) => {
  const { app } = await listeningApp(t)
  const answers = await exchange(t, app, `GET /health HTTP/1.1\r\n${LAST}\r\nnonsense\r\n\r\n`)
  t.strictSame(answers.map(({ status }) => status), [200])
})

await t.test('garbage in the body of a request behind a write: one answer to each of them', async (t) => {
  const broken = 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'
  const cases = [
    [400, `${put('other')}${broken}`],
    [401, `PUT ${OFFER_URL} HTTP/1.1\r\n${HOST}${broken}`],
    [404, `PUT /nowhere HTTP/1.1\r\n${HOST}${broken}`]
  ] as const
  for (const [status, request] of cases) {
    const { storage, begun, release } = await heldStorage(t, 'write')
    const { app, logged } = await listeningApp(t, { storage })
    const seen = once(app.server, 'clientError')
    const socket = await open(t, app)
    socket.write(`${put('tide-db')}Content-Length: ${BODY.length}\r\n\r\n${BODY}${request}`)
    await Promise.all([begun, seen])
    release()
    const answers = await answersOf(socket)
    t.strictSame(answers.map((answer) => answer.status), [201, status])
    assertRefusal(t, answers[1], status, logged(), `${status}`)
  }
})

await t.test('garbage in a body is the refusal of that request, and nothing is written', async (t) => {
  const { app, logged } = await listeningApp(t)
  const chunks = 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"off\r\nzz\r\n'
  const [answer, ...more] = await exchange(t, app, `${put('tide-db')}${chunks}`)
  assertRefusal(t, answer, 400, logged(), 'chunks')
  t.strictSame(more, [])
  const [early, ...rest] = await exchange(t, app, `PUT ${OFFER_URL} HTTP/1.1\r\n${HOST}${chunks}`)
  assertRefusal(t, early, 401, logged(), 'answered ahead of the garbage')
  t.strictSame(rest, [])
  t.equal(await statusOfOffer(t, app), 404)
})

await t.test('a client that resets its connection in the middle stops nothing', async (t) => {
  const { app } = await listeningApp(t)
  for (const bytes of [
    `${put('tide-db')}Content-Length: 100\r\n\r\n{`,
    `GET /health HTTP/1.1\r\n${HOST}`,
    '',
    'nonsense\r\n\r\n',
    `GET /health HTTP/1.1\r\n${HOST}\r\nnonsense`
  ]) {
    const socket = await open(t, app)
    socket.write(bytes)
    socket.resetAndDestroy()
  }
  const [answer] = await exchange(t, app, `GET /health HTTP/1.1\r\n${LAST}\r\n`)
  t.equal(answer!.status, 200)
})

await t.test('a client that closes its side behind its requests is answered, and its writes are done', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'write')
  const { app } = await listeningApp(t, { storage })
  const whole = (id: string): string => `${put(id)}Content-Length: ${BODY.length}\r\n\r\n${BODY}`
  const accepted = once(app.server, 'connection')
  const socket = await open(t, app)
  const [server] = await accepted
  socket.write(`${whole('tide-1')}${whole('tide-2')}GET ${OFFER_URL} HTTP/1.1\r\n${HOST}\r\n`)
  await begun
  const halfClosed = once(server, 'end')
  socket.end()
  await halfClosed
  const closed = once(server, 'close')
  release()
  const answers = await answersOf(socket)
  t.strictSame(answers.map(({ status }) => status), [201, 201, 401])
  await closed
  t.pass('the connection does not stay half-open')
})

await t.test('a client that closes its side in the middle of a request: it is refused, and nothing is written', async (t) => {
  const { app, logged } = await listeningApp(t)
  const request = `${put('tide-db')}Content-Length: ${BODY.length}\r\n\r\n${BODY}`
  for (const length of [5, 100, request.length - 1]) {
    const socket = await open(t, app)
    socket.end(request.slice(0, length))
    const answers = await answersOf(socket)
    t.equal(answers.length, 1)
    assertRefusal(t, answers[0], 400, logged(), `${length} bytes`)
  }
  t.equal(await statusOfOffer(t, app), 404)
})

await t.test('a client that closes its side between its requests: so does the server', async (t) => {
  const { app } = await listeningApp(t)
  const silent = await open(t, app)
  silent.end()
  t.strictSame(await answersOf(silent), [])
  const later = await open(t, app)
  const answer = listen(later)
  later.write(`GET /health HTTP/1.1\r\n${HOST}\r\n`)
  await answer.says(/"ok"}/)
  const ended = once(later, 'end')
  later.end()
  await ended
  t.match(answer.text(), /^HTTP\/1\.1 200 [^]*"ok"}$/)
})

// Node looks for slow requests once a second. These tests wait for that side by side.
t.jobs = 3
await Promise.all([
  t.test('408: a head that does not arrive in time, first on its connection or later', { buffered: true }, async (t) => {
    const { app, logged } = await listeningApp(t)
    app.server.headersTimeout = 100
    const first = await open(t, app)
    first.write(`GET /health HTTP/1.1\r\n${HOST}`)
    const later = await open(t, app)
    later.write(`GET /health HTTP/1.1\r\n${HOST}\r\nGET /health HTTP/1.1\r\n`)
    const silent = await open(t, app)
    const [a, b, c] = await Promise.all([answersOf(first), answersOf(later), answersOf(silent)])
    t.strictSame([a, b, c].map((answers) => answers.map(({ status }) => status)), [[408], [200, 408], [408]])
    for (const answer of [a[0], b[1], c[0]]) t.match(assertRefusal(t, answer, 408, logged(), '408'), /in time/)
  }),

  t.test('408: a body that does not arrive in time', { buffered: true }, async (t) => {
    const { app, logged } = await listeningApp(t)
    app.server.headersTimeout = 50
    app.server.requestTimeout = 100
    const answers = await exchange(t, app, `${put('tide-db')}Content-Length: ${BODY.length}\r\n\r\n{`)
    t.equal(answers.length, 1)
    assertRefusal(t, answers[0], 408, logged(), '408')
  }),

  t.test('408: a request whose rest arrives after its refusal is not carried out, be it head or body', { buffered: true }, async (t) => {
    await Promise.all([20, 300].map(async (length) => {
      const { app } = await listeningApp(t)
      app.server.headersTimeout = 50
      app.server.requestTimeout = 100
      const socket = await open(t, app)
      socket.on('error', () => {})
      const request = `${put('tide-db')}Content-Length: ${BODY.length}\r\n\r\n${BODY}`
      const seen = once(app.server, 'clientError')
      socket.write(request.slice(0, length))
      await seen
      socket.write(request.slice(length))
      const answers = await answersOf(socket).catch(() => [])
      t.ok(answers.every(({ status }) => status === 408))
      t.equal(await statusOfOffer(t, app), 404)
    }))
  })
])
