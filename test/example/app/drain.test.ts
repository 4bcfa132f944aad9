import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { newApp, OFFER, offersUrl } from '../../support/example/app.js'
import { listen } from '../../support/example/server-process.js'
import { heldStorage } from '../../support/example/storage.js'
import { answersOf, listeningApp, open } from '../../support/raw-socket.js'
import { until } from '../../support/until.js'

const BODY = JSON.stringify(OFFER)
const HEALTH = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** Longer than a test takes. */
const NEVER = 100_000_000

const LARGE = 32 * 2 ** 20

function put (id: string): string {
  const head = [
    `PUT ${offersUrl(`/${id}`)} HTTP/1.1`,
    'Host: localhost',
    'Authorization: Bearer contoso-token',
    'If-Match: *',
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`
  ]
  return [...head, '', BODY].join('\r\n')
}

async function closing (app: FastifyInstance): Promise<void> {
  await until('no connection is taken any more', () => !app.server.listening)
}

/** A connection on which the server has read these bytes. */
async function openWith (t: Test, app: FastifyInstance, bytes: string) {
  const accepted = once(app.server, 'connection')
  const socket = await open(t, app)
  const [server] = await accepted
  if (bytes !== '') {
    socket.write(bytes)
    while (server.bytesRead < bytes.length) await new Promise((resolve) => { setImmediate(resolve) })
  }
  return { socket, server }
}

/** The same, behind a request that was answered. */
async function keptAlive (t: Test, app: FastifyInstance, bytes: string) {
  const { socket, server } = await openWith(t, app, '')
  const answer = listen(socket)
  socket.write(HEALTH)
  await answer.says(/"ok"}$/)
  socket.write(bytes)
  const length = HEALTH.length + bytes.length
  while (server.bytesRead < length) await new Promise((resolve) => { setImmediate(resolve) })
  return { socket, answer }
}

await t.test('a connection on which no request has begun ends at once, kept alive or never used', async (t) => {
  const { app } = await listeningApp(t, { shutdownMs: NEVER })
  const silent = await openWith(t, app, '')
  const idle = await keptAlive(t, app, '')
  const ends = Promise.all([once(silent.socket.resume(), 'close'), once(idle.socket, 'close')])
  await app.close()
  await ends
  t.pass()
})

await t.test('a request that is half received is 408 after the bound, in head or body, and is not carried out', async (t) => {
  const { app } = await listeningApp(t, { shutdownMs: 50 })
  const request = put('tide-db')
  const parts = [1, 20, request.length - 1].map((length) => request.slice(0, length))
  const first: Socket[] = []
  const later: Array<Awaited<ReturnType<typeof keptAlive>>> = []
  for (const bytes of parts) {
    first.push((await openWith(t, app, bytes)).socket)
    later.push(await keptAlive(t, app, bytes))
  }
  const refused = first.map(async (socket) => (await answersOf(socket)).map(({ status }) => status))
  const ends = later.map(async ({ socket }) => await once(socket, 'close'))
  await app.close()
  t.strictSame(await Promise.all(refused), [[408], [408], [408]])
  await Promise.all(ends)
  for (const { answer } of later) t.match(answer.text(), /"ok"}HTTP\/1\.1 408 [^]*nothing was done/)
})

await t.test('requests that end within the bound are answered, also those of a pipeline', async (t) => {
  const { app } = await listeningApp(t, { shutdownMs: NEVER })
  const request = put('tide-1')
  const sockets: Array<{ socket: Socket, rest: string }> = []
  for (const length of [20, request.length - 1]) {
    const { socket } = await openWith(t, app, request.slice(0, length))
    sockets.push({ socket, rest: request.slice(length) })
  }
  const stopping = app.close()
  await closing(app)
  for (const { socket, rest } of sockets) socket.write(`${rest}${put('tide-2')}${put('tide-3')}`)
  for (const { socket } of sockets) {
    const answers = await answersOf(socket)
    t.ok(answers.every(({ status }) => status === 200 || status === 201))
    t.strictSame(answers.map(({ headers }) => headers.connection === 'close'), [false, false, true])
  }
  await stopping
})

await t.test('a request that is being answered has as long as it takes, and its answer ends the connection', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'write')
  const { app } = await listeningApp(t, { storage, shutdownMs: 20 })
  const slow = await openWith(t, app, `${put('tide-db')}GET / HT`)
  await begun
  const half = await openWith(t, app, 'GET / HT')
  const stopping = app.close()
  // The bound has passed when this one is refused.
  t.match(await answersOf(half.socket), [{ status: 408 }])
  release()
  t.match(await answersOf(slow.socket), [{ status: 201, headers: { connection: 'close' } }])
  await stopping
})

await t.test('all requests of a pipeline are answered, and the last answer ends the connection', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'write')
  const { app } = await listeningApp(t, { storage, shutdownMs: NEVER })
  const { socket } = await openWith(t, app, put('tide-1') + put('tide-2') + put('tide-3'))
  await begun
  const stopping = app.close()
  await closing(app)
  release()
  const answers = await answersOf(socket)
  t.strictSame(answers.map(({ status }) => status), [201, 201, 201])
  t.strictSame(answers.map(({ headers }) => headers.connection === 'close'), [false, false, true])
  await stopping
})

await t.test('an answer whose headers were out by then is sent whole, and ends the connection', async (t) => {
  const app = await newApp(t, { shutdownMs: NEVER })
  const source = new Readable({ read () {} })
  app.get('/streamed', async (_request, reply) => await reply.send(source))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { socket } = await openWith(t, app, HEALTH.replace('/health', '/streamed'))
  const answer = listen(socket)
  source.push('first')
  await answer.says(/first/)
  const [stopping, ended] = [app.close(), once(socket, 'end')]
  await closing(app)
  source.push('last')
  source.push(null)
  await ended
  t.match(answer.text(), /first[^]*last\r\n0\r\n\r\n$/)
  await stopping
})

/** An app that gives more than the buffers of a connection hold, and a connection on which it has begun to. */
async function largeAnswer (t: Test, shutdownMs: number) {
  const app = await newApp(t, { shutdownMs })
  app.get('/large', async () => Buffer.alloc(LARGE, 'x'))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { socket, server } = await openWith(t, app, HEALTH.replace('/health', '/large'))
  await until('the answer has begun', () => server.writableLength > 0)
  return { app, socket, server }
}

await t.test('an answer that is on its way is sent whole, and ends the connection', async (t) => {
  const { app, socket } = await largeAnswer(t, NEVER)
  const stopping = app.close()
  await closing(app)
  const [answer] = await answersOf(socket)
  t.equal(answer?.body.length, LARGE)
  await stopping
})

await t.test('an answer that its client does not take holds the server no longer than twice the bound', async (t) => {
  const { app, socket, server } = await largeAnswer(t, 50)
  const closed = once(server, 'close')
  await app.close()
  await closed
  socket.on('error', () => {})
  t.pass()
})
