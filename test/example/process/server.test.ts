import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { sharedSetting } from '../../support/example/storage.js'
import { listen, listening, processes, start } from '../../support/example/server-process.js'
import { fileOf } from '../../support/sqlite/handles.js'

/** Sends a PUT but for the last bytes of its body, once the server has taken the head of it. */
async function beginPut (
  t: Test,
  port: string
): Promise<{ socket: Socket, finish: () => void, answer: ReturnType<typeof listen> }> {
  const body = '{"offerTypeId":"x"}'
  const socket = connect(Number(port), '127.0.0.1')
  t.teardown(() => {
    socket.destroy()
  })
  const answer = listen(socket)
  socket.write(
    [
      'PUT /api/publishers/contoso/offers/tide-db?api-version=2017-10-31 HTTP/1.1',
      'Host: localhost',
      'Authorization: Bearer dev-contoso',
      'If-Match: *',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Expect: 100-continue',
      '',
      body.slice(0, -2)
    ].join('\r\n')
  )
  await answer.says(/100 Continue/)
  return {
    socket,
    answer,
    finish: () => {
      socket.write(body.slice(-2))
    }
  }
}

await t.test('the line that it prints works when pasted into a shell', async (t) => {
  const { output } = start(t, { STORAGE: await sharedSetting(t) })
  const [, line] = await output.says(/^Try: (.*)\n/m)
  const { stdout } = await promisify(execFile)('sh', ['-c', line!])
  t.match(stdout, /^HTTP\/1\.1 201 Created\r\n/)
  t.match(stdout, /^etag: "/m)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  await t.test(`${signal}: what is in flight is finished, nothing new is taken, and it exits with 0`, async (t) => {
    const { child, exit, output, log } = start(t)
    const [, port] = await output.says(/listens at http:\/\/127\.0\.0\.1:(\d+)/)
    const { socket, finish, answer } = await beginPut(t, port!)
    child.kill(signal)
    await log.says(/"msg":"stopping"/)
    const ended = once(socket, 'end')
    finish()
    await ended
    t.match(answer.text(), /HTTP\/1\.1 201 Created\r\n[^]*connection: close\r\n[^]*"id":"tide-db"/)
    t.strictSame(await exit, [0, null])
    t.notMatch(log.text(), /"level":[56]0/)
    const refused = connect(Number(port), '127.0.0.1')
    const [error] = await once(refused, 'error')
    t.equal(error.code, 'ECONNREFUSED')
  })
}

await t.test('a second signal ends it at once', async (t) => {
  const { child, exit, output, log } = start(t)
  const [, port] = await output.says(/listens at http:\/\/127\.0\.0\.1:(\d+)/)
  await beginPut(t, port!)
  child.kill('SIGTERM')
  await log.says(/"msg":"stopping"/)
  child.kill('SIGINT')
  t.strictSame(await exit, [null, 'SIGINT'])
})

await t.test('a wrong setting stops the start, with one line that names it', async (t) => {
  const { exit, output, log } = start(t, { STORAGE: 'mysql://user:hush@host/db' })
  t.strictSame(await exit, [1, null])
  t.equal(
    log.text(),
    'STORAGE accepts "sqlite:<file>", "postgres://...", "redis://...", "etcd://...", and "memory:" for what may end with the process\n'
  )
  t.equal(output.text(), '')
})

await t.test('where it cannot listen stops the start with one line, told once by all workers', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { taken.close() })
  await once(taken, 'listening')
  const PORT = String((taken.address() as AddressInfo).port)
  const cases: Array<[Record<string, string>, RegExp]> = [
    [{ PORT }, /^PORT names a port that another process listens on/],
    [{ PORT, WORKERS: '2' }, /^PORT names a port that another process listens on/],
    // An address for documentation (RFC 5737), and a name that is none (RFC 6761).
    [{ HOST: '192.0.2.1', TOKENS: 'mine=contoso:owner' }, /^HOST names an address that this machine does not have/],
    [{ HOST: 'nowhere.invalid', TOKENS: 'mine=contoso:owner' }, /^HOST names a host /]
  ]
  for (const [settings, message] of cases) {
    const { exit, log, output } = start(t, { STORAGE: `sqlite:${fileOf(t)}`, ...settings })
    t.strictSame(await exit, [1, null])
    t.match(log.text(), message)
    t.equal(log.text().split('\n').length, 2, log.text())
    t.equal(output.text(), '')
  }
})

const OFFERS = '/api/publishers/contoso/offers'
const QUERY = '?api-version=2017-10-31'

async function call (port: string, path: string, init: RequestInit = {}): Promise<Response> {
  // A connection of its own, so that the primary hands the next request to the next worker.
  return await fetch(`http://127.0.0.1:${port}${OFFERS}${path}${QUERY}`, {
    ...init,
    headers: { authorization: 'Bearer dev-contoso', connection: 'close', ...init.headers }
  })
}

async function put (port: string, id: string, headers: Record<string, string>): Promise<Response> {
  return await call(port, `/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"offerTypeId":"x"}'
  })
}

await t.test('a failure that has no line of its own is told whole', async (t) => {
  // An interface that no machine has.
  const { exit, log } = start(t, { HOST: 'fe80::1%none', TOKENS: 'mine=contoso:owner' })
  t.strictSame(await exit, [1, null])
  t.match(log.text(), /EINVAL|EADDRNOTAVAIL|ENODEV/)
  t.match(log.text(), /\n {4}at /)
})

await t.test('offers are there after a restart', async (t) => {
  const STORAGE = await sharedSetting(t)
  const first = start(t, { STORAGE })
  const created = await put(await listening(first), 'tide-db', { 'if-none-match': '*' })
  t.equal(created.status, 201)
  first.child.kill('SIGTERM')
  t.strictSame(await first.exit, [0, null])
  const second = start(t, { STORAGE })
  const read = await call(await listening(second), '/tide-db')
  t.equal(read.headers.get('etag'), created.headers.get('etag'))
})

await t.test('WORKERS=2: both processes answer, on one port and one file, and refuse the tag that the other replaced', async (t) => {
  const server = start(t, { STORAGE: await sharedSetting(t), WORKERS: '2' })
  const port = await listening(server)
  t.match(server.output.text(), /^Worker processes: 2$/m)
  let { headers } = await put(port, 'tide-db', { 'if-none-match': '*' })
  for (let round = 0; round < 8; round++) {
    const etag = headers.get('etag')!
    const next = await put(port, 'tide-db', { 'if-match': etag })
    t.equal(next.status, 200)
    headers = next.headers
    const stale = await put(port, 'tide-db', { 'if-match': etag })
    t.equal(stale.status, 412)
    t.equal(stale.headers.get('etag'), headers.get('etag'))
  }
  server.child.kill('SIGTERM')
  t.strictSame(await server.exit, [0, null])
  t.equal(processes(server.log.text()).size, 2, 'both processes logged')
  t.equal(server.output.text().match(/listens at/g)?.length, 1, 'one greeting')
})

await t.test('WORKERS=2: a signal to the whole group finishes what is in flight, once', async (t) => {
  const server = start(t, { STORAGE: await sharedSetting(t), WORKERS: '2' })
  const port = await listening(server)
  const { socket, finish, answer } = await beginPut(t, port)
  const pids = [...processes(server.log.text())] as number[]
  for (const pid of pids) process.kill(pid, 'SIGINT')
  server.child.kill('SIGINT')
  await server.log.says(/"msg":"stopping"/)
  const ended = once(socket, 'end')
  finish()
  await ended
  t.match(answer.text(), /HTTP\/1\.1 201 Created/)
  t.strictSame(await server.exit, [0, null])
})

await t.test('WORKERS=2: a worker that ends unasked ends the server with 1, and says so', async (t) => {
  const server = start(t, { STORAGE: await sharedSetting(t), WORKERS: '2' })
  await listening(server)
  process.kill([...processes(server.log.text())][0] as number, 'SIGKILL')
  t.strictSame(await server.exit, [1, null])
  t.match(server.log.text(), /^worker \d+ ended unasked \(code null, signal SIGKILL\), so the server stops$/m)
})

await t.test('a storage that cannot be used stops the start with one line, told once by all workers', async (t) => {
  const file = fileOf(t)
  writeFileSync(file, 'Dear diary, '.repeat(100))
  for (const [STORAGE, message] of [
    [`sqlite:${file}`, /is not an SQLite database/],
    [`sqlite:${file}/below.db`, /^STORAGE names a file that cannot be opened/]
  ] as const) {
    for (const WORKERS of ['1', '2']) {
      const { exit, log, output } = start(t, { STORAGE, WORKERS })
      t.strictSame(await exit, [1, null])
      t.match(log.text(), message)
      t.equal(log.text().split('\n').length, 2, log.text())
      t.equal(output.text(), '')
    }
  }
})
