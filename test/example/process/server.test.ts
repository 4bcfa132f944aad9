import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { call, put } from '../../support/example/server-client.js'
import { listening, start } from '../../support/example/server-process.js'
import { startPut } from '../../support/example/started-put.js'
import { sharedSetting } from '../../support/example/storage.js'
import { skipWithout } from '../../support/services/programs.js'

/** Asserts that a signal lets the server finish a request in flight, take no other, and exit with 0. */
async function assertGracefulEnd (t: Test, server: ReturnType<typeof start>, signal: NodeJS.Signals): Promise<void> {
  const { child, exit, log } = server
  const port = await listening(server)
  const { socket, finish, answer } = await startPut(t, port)
  child.kill(signal)
  await log.says(/"msg":"stopping"/)
  const ended = once(socket, 'end')
  finish()
  await ended
  t.match(answer.text(), /HTTP\/1\.1 201 Created\r\n[^]*connection: close\r\n[^]*"id":"in-flight"/)
  t.strictSame(await exit, [0, null])
  t.notMatch(log.text(), /"level":[56]0/)
  const refused = connect(Number(port), '127.0.0.1')
  const [error] = await once(refused, 'error')
  t.equal(error.code, 'ECONNREFUSED')
}

await t.test('a server on a storage that lasts', async (t) => {
  const STORAGE = await sharedSetting(t)
  const first = start(t, { STORAGE })
  let etag: string | null

  await t.test('the line that it prints works when pasted into a shell', { skip: skipWithout('curl') }, async (t) => {
    const [, line] = await first.output.says(/^Try: (.*)\n/m)
    const { stdout } = await promisify(execFile)('sh', ['-c', line!])
    t.match(stdout, /^HTTP\/1\.1 201 Created\r\n/)
    t.match(stdout, /^etag: "/m)
  })

  await t.test('SIGTERM: requests in flight are finished, no other is taken, and it exits with 0', async (t) => {
    const created = await put(await listening(first), 'kept')
    t.equal(created.status, 201)
    etag = created.headers.get('etag')
    await assertGracefulEnd(t, first, 'SIGTERM')
  })

  await t.test('offers are there after a restart', async (t) => {
    const read = await call(await listening(start(t, { STORAGE })), '/kept')
    t.equal(read.headers.get('etag'), etag)
  })
})

await t.test('SIGINT: requests in flight are finished, no other is taken, and it exits with 0', async (t) => {
  await assertGracefulEnd(t, start(t), 'SIGINT')
})

await t.test('a mistyped setting is warned of; SIGTERM: connections that have completed no request do not hold it', async (t) => {
  const server = start(t, { SHUTDOWN_MS: '50', PROT: '8080' })
  const port = await listening(server)
  t.match(server.log.text(), /^PROT is no setting of this server and has no effect\. Did you mean PORT\?\n\{/)
  const ends: Array<Promise<unknown>> = []
  for (const bytes of ['', 'GET /health HT', 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET']) {
    const socket = connect(Number(port), '127.0.0.1')
    t.teardown(() => { socket.destroy() })
    await once(socket, 'connect')
    socket.write(bytes)
    ends.push(once(socket.resume(), 'close'))
  }
  // The server has accepted all of them when it takes this head: connections are accepted in their order.
  const { answer } = await startPut(t, port)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exit, [0, null])
  await Promise.all(ends)
  t.match(answer.text(), /HTTP\/1\.1 408 [^]*nothing was done/)
  t.notMatch(server.log.text(), /"level":[56]0/)
})

await t.test('a wrong setting stops the start, with one line that names it', async (t) => {
  const { exit, output, log } = start(t, { STORAGE: 'mongodb://user:hush@host/db' })
  t.strictSame(await exit, [1, null])
  t.equal(
    log.text(),
    'STORAGE accepts "sqlite:<file>", "postgres://...", "mysql://...", "mariadb://...", "redis://...", ' +
      '"etcd://...", and "memory:" for what may end with the process\n'
  )
  t.equal(output.text(), '')
})

await t.test('an error that is no flaw of a setting is told whole', async (t) => {
  // An interface that no machine has.
  const { exit, log } = start(t, { HOST: 'fe80::1%none', TOKENS: 'mine=contoso:owner' })
  t.strictSame(await exit, [1, null])
  t.match(log.text(), /EINVAL|EADDRNOTAVAIL|ENODEV/)
  t.match(log.text(), /\n {4}at /)
})
