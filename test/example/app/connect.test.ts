import { once } from 'node:events'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { OFFER, offersUrl, send } from '../../support/example/app.js'
import { heldStorage } from '../../support/example/storage.js'
import { exchange, listeningApp, open } from '../../support/raw-socket.js'

const CONNECT = 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n'
const HEALTH = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n'

/** Both ends of one connection. */
async function openBoth (t: Test, app: FastifyInstance): Promise<[client: Socket, server: Socket]> {
  const accepted = once(app.server, 'connection')
  const client = await open(t, app)
  const [server] = await accepted
  return [client.resume(), server as Socket]
}

await t.test('CONNECT: the server is no proxy, and ends the connection without a byte', async (t) => {
  const { app } = await listeningApp(t)
  const [client, server] = await openBoth(t, app)
  const closed = once(server, 'close')
  client.write(CONNECT)
  await closed
  t.equal(server.bytesWritten, 0)
})

await t.test('CONNECT: a client that resets its connection stops nothing', async (t) => {
  const { app } = await listeningApp(t)
  for (let turn = 0; turn < 20; turn++) {
    const [client, server] = await openBoth(t, app)
    const closed = once(server, 'close').catch(() => {})
    client.write(CONNECT)
    client.resetAndDestroy()
    await closed
  }
  t.equal((await exchange(t, app, `${HEALTH}\r\n`))[0]!.status, 200)
})

await t.test('CONNECT behind an answer that is streamed: nothing hangs, and the server closes', async (t) => {
  const { app } = await listeningApp(t)
  const [client, server] = await openBoth(t, app)
  const closed = once(server, 'close')
  client.write(`GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n${CONNECT}`)
  await closed
  await app.close()
  t.pass()
})

await t.test('CONNECT behind a write: the write is not answered, and not refused either', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'write')
  const { app } = await listeningApp(t, { storage })
  const [client, server] = await openBoth(t, app)
  const body = JSON.stringify(OFFER)
  const head = [
    `PUT ${offersUrl('/tide-db')} HTTP/1.1`,
    'Host: localhost',
    'Authorization: Bearer contoso-token',
    'If-Match: *',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`
  ]
  client.write([...head, '', body].join('\r\n'))
  await begun
  const closed = once(server, 'close')
  client.write(CONNECT)
  await closed
  release()
  t.equal(server.bytesWritten, 0)
  t.equal((await send(app, 'GET', offersUrl(''))).statusCode, 200)
})

await t.test('a request for an upgrade is served without it (RFC 9110 7.8)', async (t) => {
  const { app } = await listeningApp(t)
  const [answer] = await exchange(t, app, HEALTH.replace('close', 'upgrade, close') + 'Upgrade: websocket\r\n\r\n')
  t.equal(answer!.status, 200)
})
