import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { until } from '../until.js'
import { startProxy, type Proxy } from './proxy.js'

/** A server that sends back what it gets, notes it, and what becomes of its connections. */
async function startEcho (t: Test): Promise<{ url: string, got: () => string, open: Set<Socket> }> {
  let got = ''
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => { open.delete(socket) })
    socket.on('data', (chunk) => {
      got += String(chunk)
      socket.write(chunk)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, got: () => got, open }
}

class Client {
  readonly socket: Socket
  got = ''

  constructor (t: Test, proxy: Proxy) {
    this.socket = connect(proxy.port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk) => { this.got += String(chunk) })
    t.teardown(() => { this.socket.destroy() })
  }

  send (text: string): void {
    this.socket.write(text)
  }

  async until (text: string): Promise<void> {
    while (!this.got.endsWith(text)) await once(this.socket, 'data')
  }

  async closed (): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close')
  }
}

const isUpdate = (request: Buffer): boolean => request.includes('UPDATE')

async function stand (t: Test): Promise<{ echo: Awaited<ReturnType<typeof startEcho>>, proxy: Proxy, client: Client }> {
  const echo = await startEcho(t)
  const proxy = await startProxy(t, echo.url)
  return { echo, proxy, client: new Client(t, proxy) }
}

/** Once a client has had an answer through the proxy, whatever was to pass before it has passed. */
async function roundTrip (t: Test, proxy: Proxy): Promise<void> {
  const other = new Client(t, proxy)
  other.send('?')
  await other.until('?')
}

await t.test('pass: both ways, and the address is the engine’s with another port', async (t) => {
  const { echo, proxy, client } = await stand(t)
  const { requested, answered } = proxy.pass({ when: isUpdate })
  client.send('SELECT')
  await client.until('SELECT')
  client.send('UPDATE')
  await requested
  await answered
  await client.until('UPDATE')
  t.equal(proxy.url, `tcp://127.0.0.1:${proxy.port}`)
  t.not(proxy.url, echo.url)
  t.equal(proxy.connections, 1)
  client.socket.end()
  await client.closed()
})

await t.test('pass: the end of a connection passes too, both ways', async (t) => {
  const { echo, client, proxy } = await stand(t)
  client.send('1')
  await client.until('1')
  for (const socket of echo.open) socket.destroy()
  await client.closed()
  const other = new Client(t, proxy)
  other.send('2')
  await other.until('2')
  const [socket] = echo.open
  other.socket.destroy()
  await once(socket!, 'close')
})

await t.test('cutAnswer: the engine has the request, and the client loses its connection without an answer; the next one passes', async (t) => {
  const { echo, proxy, client } = await stand(t)
  client.send('1')
  await client.until('1')
  const { answered } = proxy.cutAnswer()
  client.send('2')
  await answered
  await client.closed()
  t.strictSame([echo.got(), client.got], ['12', '1'])
  await roundTrip(t, proxy)
})

await t.test('cutAnswer: only of the picked request, on whatever connection', async (t) => {
  const { echo, proxy, client } = await stand(t)
  const { requested } = proxy.cutAnswer({ when: isUpdate })
  client.send('SELECT')
  await client.until('SELECT')
  const other = new Client(t, proxy)
  other.send('UPDATE')
  await requested
  await other.closed()
  client.send('UPDATE')
  await client.until('UPDATE')
  t.strictSame([echo.got(), other.got], ['SELECTUPDATEUPDATE', ''])
})

await t.test('cutAnswer: as often as it is told to', async (t) => {
  const { echo, proxy } = await stand(t)
  proxy.cutAnswer({ times: 2 })
  for (const text of ['1', '2']) {
    const client = new Client(t, proxy)
    client.send(text)
    await client.closed()
    t.equal(client.got, '')
  }
  await roundTrip(t, proxy)
  t.equal(echo.got(), '12?')
})

await t.test('hold: answers wait, requests do not; released in order, and nobody else waits', async (t) => {
  const { echo, proxy, client } = await stand(t)
  const { answered } = proxy.hold({ when: isUpdate })
  client.send('UPDATE 1')
  await answered
  await roundTrip(t, proxy)
  t.strictSame([echo.got(), client.got], ['UPDATE 1?', ''])
  client.send(';2')
  proxy.pass()
  await client.until('UPDATE 1;2')
})

await t.test('hold: a client that went away is gone for the engine as well', async (t) => {
  const { echo, proxy, client } = await stand(t)
  const { answered } = proxy.hold()
  client.send('1')
  await answered
  const [socket] = echo.open
  client.socket.destroy()
  await once(socket!, 'close')
  t.equal(client.got, '')
})

await t.test('halfOpen: nothing arrives, on present and new connections, and they stay open', async (t) => {
  const { echo, proxy, client } = await stand(t)
  client.send('1')
  await client.until('1')
  proxy.halfOpen()
  const late = new Client(t, proxy)
  await once(late.socket, 'connect')
  const { requested } = proxy.halfOpen()
  late.send('2')
  await requested
  client.send('3')
  for (const socket of echo.open) socket.write('unasked')
  t.strictSame([echo.got(), client.got, late.got], ['1', '1', ''])
  t.notOk(client.socket.closed || late.socket.closed)
  proxy.pass()
  await late.until('2')
  await client.until('3')
  t.equal(client.got, '1unasked3')
})

await t.test('halfOpen: the engine does not hear that the client went away, and gets the request when the network heals', async (t) => {
  const { echo, proxy, client } = await stand(t)
  client.send('1')
  await client.until('1')
  const { requested } = proxy.halfOpen({ when: isUpdate })
  client.send('UPDATE')
  await requested
  t.equal(proxy.left, 0)
  client.socket.destroy()
  await until('the proxy sees that the client went away', () => proxy.left === 1)
  await client.closed()
  await roundTrip(t, proxy)
  const [socket] = echo.open
  t.strictSame([echo.got(), socket!.closed], ['1?', false])
  proxy.pass()
  await once(socket!, 'close')
  await until('the engine has ended it', () => proxy.left === 0)
  t.equal(echo.got(), '1?UPDATE')
})

await t.test('refuse: connections are destroyed and new ones refused, until it accepts again', async (t) => {
  const { proxy, client } = await stand(t)
  client.send('1')
  await client.until('1')
  await proxy.refuse()
  await client.closed()
  const refused = connect(proxy.port, '127.0.0.1')
  await t.rejects(once(refused, 'connect'), { code: 'ECONNREFUSED' })
  await proxy.accept()
  await roundTrip(t, proxy)
  await proxy.accept()
})

await t.test('an engine that is not there: the client’s connection ends', async (t) => {
  const nobody = await startProxy(t, (await startEcho(t)).url)
  await nobody.refuse()
  const client = new Client(t, await startProxy(t, nobody.url))
  await client.closed()
  t.equal(client.got, '')
})
