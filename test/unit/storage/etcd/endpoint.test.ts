import { once } from 'node:events'
import { createServer as createSecureServer } from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { EtcdEndpoint, type EtcdTls } from '../../../../lib/storage/etcd/endpoint.js'
import type { EtcdFault } from '../../../../lib/storage/etcd/faults.js'
import { within } from '../../../../lib/storage/kit/deadline.js'
import { certificatesFor } from '../../../support/certificates.js'
import { deadOrigin, etcdError, EtcdStub } from '../../../support/etcd/stub.js'

// Only a request that hangs takes as long.
const BOUNDS = { connect: 20_000, answer: 20_000 }

function endpointOf (t: Test, origin: string, tls?: EtcdTls): EtcdEndpoint {
  const endpoint = new EtcdEndpoint(origin, tls)
  t.teardown(() => { endpoint.close() })
  return endpoint
}

async function listening (t: Test, server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

await t.test('etcd-endpoint: posts a body with its token, gets without one, and gives the text of the answer', async (t) => {
  const stub = await EtcdStub.start(t, ({ body }) => ({ json: { body, text: 'é' } }))
  const endpoint = endpointOf(t, stub.origin)
  t.equal(await endpoint.post('/v3/kv/range', '{"key":"é"}', 'token', BOUNDS), '{"body":{"key":"é"},"text":"é"}')
  t.equal(await endpoint.post('/version', undefined, undefined, BOUNDS), '{"text":"é"}')
  t.strictSame(stub.requests, [
    { path: '/v3/kv/range', body: { key: 'é' }, token: 'token' },
    { path: '/version', body: undefined, token: undefined }
  ])
})

await t.test('etcd-endpoint: connections are kept', async (t) => {
  const ports = new Set<number>()
  const stub = await EtcdStub.start(t)
  const endpoint = endpointOf(t, stub.origin)
  stub.onConnection((port) => ports.add(port))
  for (let call = 0; call < 8; call++) await endpoint.post('/', '{}', undefined, BOUNDS)
  t.equal(ports.size, 1)
  endpoint.forget()
  await endpoint.post('/', '{}', undefined, BOUNDS)
  t.equal(ports.size, 2, 'until they are forgotten')
})

await t.test('etcd-endpoint: an answer other than 200 is its fault', async (t) => {
  const stub = await EtcdStub.start(t, () => etcdError(429, 8, 'etcdserver: too many requests'))
  await t.rejects(endpointOf(t, stub.origin).post('/', '{}', undefined, BOUNDS), { name: 'Error', kind: 'BUSY' })
})

await t.test('etcd-endpoint: a refused connection and one that does not come about sent nothing', async (t) => {
  await t.rejects(endpointOf(t, await deadOrigin(t)).post('/', '{}', undefined, BOUNDS), {
    name: 'Error',
    kind: 'UNREACHABLE',
    message: /cannot be reached.*ECONNREFUSED/
  })
  // It takes the connection, and never answers the handshake.
  const silent = await listening(t, createServer())
  await t.rejects(endpointOf(t, `https://${silent}`).post('/', '{}', undefined, { ...BOUNDS, connect: 50 }), {
    name: 'Error',
    kind: 'UNREACHABLE',
    message: /50 ms/
  })
})

await t.test('etcd-endpoint: a request that was sent and is cut off, or takes too long, is lost', async (t) => {
  const stub = await EtcdStub.start(t, () => 'cut')
  const endpoint = endpointOf(t, stub.origin)
  await t.rejects(endpoint.post('/', '{}', undefined, BOUNDS), {
    name: 'Error',
    kind: 'LOST',
    message: /gave no answer/
  })
  stub.behave = () => 'hold'
  await t.rejects(endpoint.post('/', '{}', undefined, { ...BOUNDS, answer: 50 }), {
    name: 'Error',
    kind: 'LOST',
    message: /50 ms/
  })
})

await t.test('etcd-endpoint: an answer that breaks off in the middle is lost', async (t) => {
  const server = createServer((socket) => {
    socket.once('data', () => { socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"header"') })
  })
  await t.rejects(endpointOf(t, `http://${await listening(t, server)}`).post('/', '{}', undefined, BOUNDS), {
    name: 'Error',
    kind: 'LOST'
  })
})

await t.test('etcd-endpoint: an answer that does not end before a text can hold no more of it is lost', async (t) => {
  const part = Buffer.alloc(1 << 20, ' ')
  const server = createServer((socket) => {
    const flood = (): void => { while (socket.write(part)); }
    // It is cut off.
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.on('drain', flood)
      flood()
    })
  })
  await t.rejects(endpointOf(t, `http://${await listening(t, server)}`).post('/', '{}', undefined, BOUNDS), {
    name: 'Error',
    kind: 'LOST',
    message: /longer than a text/
  })
})

await t.test('etcd-endpoint: an answer that changes the protocol counts as lost, after the time that any answer has', async (t) => {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    })
  })
  const posting = endpointOf(t, `http://${await listening(t, server)}`).post('/', '{}', undefined, {
    connect: 30_000,
    answer: 100
  })
  // Without the bound it would never settle, and nothing would keep the process.
  await t.rejects(
    within(20_000, posting, () => new Error('no bound')),
    { name: 'Error', kind: 'LOST', message: /100 ms/ }
  )
})

await t.test('etcd-endpoint: a request that waits behind others for a connection waits no longer than its own bound, and is not sent afterwards', async (t) => {
  const sockets: Socket[] = []
  let held = 0
  const stub = await EtcdStub.start(t)
  stub.onConnection((_port, socket) => sockets.push(socket))
  const allHeld = new Promise<void>((resolve) => {
    stub.behave = () => {
      if (++held === 64) resolve()
      return 'hold'
    }
  })
  const endpoint = endpointOf(t, stub.origin)
  const kindOf = (post: Promise<string>) => post.then(() => 'answered', ({ kind }: EtcdFault) => kind)
  const holding = Array.from({ length: 64 }, () => kindOf(endpoint.post('/held', '{}', undefined, BOUNDS)))
  await allHeld
  t.equal(await kindOf(endpoint.post('/waits', '{}', undefined, { ...BOUNDS, connect: 50 })), 'UNREACHABLE')
  stub.behave = () => ({ json: {} })
  for (const socket of sockets) socket.destroy()
  t.strictSame(await Promise.all(holding), holding.map(() => 'LOST'))
  for (let call = 0; call < 8; call++) await endpoint.post('/last', '{}', undefined, BOUNDS)
  t.notOk(stub.requests.some(({ path }) => path === '/waits'))
})

await t.test('etcd-endpoint: an answered request leaves no timer, which would keep the process', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const stub = await EtcdStub.start(t)
  const endpoint = endpointOf(t, stub.origin)
  const before = timers()
  for (const connection of ['a new', 'a kept']) {
    await endpoint.post('/', '{}', undefined, BOUNDS)
    t.equal(timers(), before, `on ${connection} connection`)
  }
})

await t.test('etcd-endpoint: on a connection that is used again, a request is sent at once; so is one that waited for a connection', async (t) => {
  const stub = await EtcdStub.start(t)
  const endpoint = endpointOf(t, stub.origin)
  await endpoint.post('/', '{}', undefined, BOUNDS)
  stub.behave = () => 'cut'
  await t.rejects(endpoint.post('/', '{}', undefined, BOUNDS), { name: 'Error', kind: 'LOST' })
  stub.behave = ({ path }) => path === '/last' ? 'cut' : { json: {} }
  const first = Array.from({ length: 64 }, () => endpoint.post('/', '{}', undefined, BOUNDS))
  await t.rejects(endpoint.post('/last', '{}', undefined, BOUNDS), { name: 'Error', kind: 'LOST' })
  await Promise.all(first)
})

await t.test('etcd-endpoint: TLS takes an authority, a certificate of the client and the name of the server', async (t) => {
  const { ca, server, client } = certificatesFor(t)
  const secure = createSecureServer(
    { ca: ca.cert, cert: server.cert, key: server.key, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      response.end(request.url)
    }
  )
  const origin = `https://${await listening(t, secure)}`
  const tls = { ca: ca.cert, cert: client.cert, key: client.key }
  t.equal(await endpointOf(t, origin, tls).post('/a', '{}', undefined, BOUNDS), '/a')
  t.equal(await endpointOf(t, origin, { ...tls, servername: 'etcd.test' }).post('/b', '{}', undefined, BOUNDS), '/b')
  await t.rejects(
    endpointOf(t, origin, { ...tls, servername: 'other.test' }).post('/', '{}', undefined, BOUNDS),
    { name: 'Error', kind: 'UNREACHABLE' },
    'another name'
  )
  await t.rejects(
    endpointOf(t, origin, { ...tls, ca: undefined }).post('/', '{}', undefined, BOUNDS),
    { name: 'Error', kind: 'UNREACHABLE' },
    'an authority that nobody knows'
  )
  await t.rejects(
    endpointOf(t, origin, { ca: ca.cert }).post('/', '{}', undefined, BOUNDS),
    { name: 'Error', kind: 'LOST' },
    'no certificate; TLS 1.3 tells it late'
  )
})
