import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { put } from '../../support/example/server-client.js'
import { listening, processes, start } from '../../support/example/server-process.js'
import { startPut } from '../../support/example/started-put.js'
import { fileOf } from '../../support/sqlite/handles.js'

const HEAD = 'PUT /api/publishers/contoso/offers/tide?api-version=2017-10-31 HTTP/1.1\r\nHost: localhost\r\n' +
  'Authorization: Bearer dev-contoso\r\nIf-Match: *\r\nContent-Type: application/json\r\n'

/** Asserts that a start ends with 1, with one line that matches, and without a greeting. */
async function assertRefusedStart (t: Test, settings: Record<string, string>, message: RegExp): Promise<void> {
  const { exit, log, output } = start(t, settings)
  t.strictSame(await exit, [1, null])
  t.match(log.text(), message)
  t.equal(log.text().split('\n').length, 2, log.text())
  t.equal(output.text(), '')
}

await t.test('an address that it cannot listen on stops the start with one line, told once by all workers', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { taken.close() })
  await once(taken, 'listening')
  const PORT = String((taken.address() as AddressInfo).port)
  const cases: Array<[Record<string, string>, RegExp]> = [
    [{ PORT }, /^PORT names a port that another process listens on/],
    [{ PORT, WORKERS: '2' }, /^PORT names a port that another process listens on/],
    // An address for documentation (RFC 5737), and a name that does not exist (RFC 6761).
    [{ HOST: '192.0.2.1', TOKENS: 'mine=contoso:owner' }, /^HOST names an address that this machine does not have/],
    [{ HOST: 'nowhere.invalid', TOKENS: 'mine=contoso:owner' }, /^HOST names a host /]
  ]
  for (const [settings, message] of cases) {
    await assertRefusedStart(t, { STORAGE: `sqlite:${fileOf(t)}`, ...settings }, message)
  }
})

await t.test('a storage that cannot be used stops the start with one line, told once by all workers', async (t) => {
  const file = fileOf(t)
  writeFileSync(file, 'Dear diary, '.repeat(100))
  for (const WORKERS of ['1', '2']) {
    await assertRefusedStart(t, { STORAGE: `sqlite:${file}`, WORKERS }, /is not an SQLite database/)
    const below = `sqlite:${file}/below.db`
    await assertRefusedStart(t, { STORAGE: below, WORKERS }, /^STORAGE names a file that cannot be opened/)
  }
})

await t.test('WORKERS=2: connections that have completed no request do not hold the server, after a signal to all its processes', async (t) => {
  const cases: Array<[shutdownMs: string, bytes: string]> = [
    ['100000000', ''],
    ['100', 'PUT /half HT'],
    ['100', `${HEAD}Content-Length: 9\r\n\r\n{`]
  ]
  for (const [SHUTDOWN_MS, bytes] of cases) {
    const server = start(t, { STORAGE: `sqlite:${fileOf(t)}`, WORKERS: '2', SHUTDOWN_MS })
    const port = await listening(server)
    // Each process is given some of them.
    const sockets = await Promise.all(Array.from({ length: 8 }, async () => {
      const socket = connect(Number(port), '127.0.0.1')
      t.teardown(() => { socket.destroy() })
      await once(socket, 'connect')
      socket.write(bytes)
      return socket.resume()
    }))
    const ends = sockets.map(async (socket) => await once(socket, 'close'))
    await put(port, 'tide-1')
    await put(port, 'tide-2')
    for (const pid of processes(server.log.text())) process.kill(pid, 'SIGINT')
    server.child.kill('SIGINT')
    t.strictSame(await server.exit, [0, null])
    await Promise.all(ends)
  }
})

await t.test('a second signal ends it at once', async (t) => {
  const server = start(t)
  await startPut(t, await listening(server))
  server.child.kill('SIGTERM')
  await server.log.says(/"msg":"stopping"/)
  server.child.kill('SIGINT')
  t.strictSame(await server.exit, [null, 'SIGINT'])
})
