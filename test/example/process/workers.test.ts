import type { Worker } from 'node:cluster'
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { ignoreLostMessages } from '../../../example/process/workers.js'
import { CLIENT_CHECKS, runClientChecks } from '../../support/example/client-checks.js'
import { put } from '../../support/example/server-client.js'
import { listening, processes, start } from '../../support/example/server-process.js'
import { startPut } from '../../support/example/started-put.js'
import { sharedSetting } from '../../support/example/storage.js'
import { fileOf } from '../../support/sqlite/handles.js'

// A token for the tests here, and one for each client check: its publisher has no offers yet.
const publishers = Object.keys(CLIENT_CHECKS).map((_, index) => `publisher-${index}`)
const TOKENS = ['dev-contoso=contoso:owner', ...publishers.map((publisher) => `of-${publisher}=${publisher}:owner`)]

await t.test('WORKERS=2: two processes on one port and one storage', async (t) => {
  const settings = { STORAGE: await sharedSetting(t), WORKERS: '2', STEP_MS: '5', TOKENS: TOKENS.join() }
  const server = start(t, settings)
  const port = await listening(server)
  t.match(server.output.text(), /^Worker processes: 2$/m)

  await t.test('each refuses the tag that the other replaced', async (t) => {
    let { headers } = await put(port, 'tide-db')
    for (let round = 0; round < 8; round++) {
      const etag = headers.get('etag')!
      const next = await put(port, 'tide-db', { 'if-match': etag })
      t.equal(next.status, 200)
      headers = next.headers
      const stale = await put(port, 'tide-db', { 'if-match': etag })
      t.equal(stale.status, 412)
      t.equal(stale.headers.get('etag'), headers.get('etag'))
    }
  })

  await runClientChecks(t, 'WORKERS=2', async () => {
    const publisher = publishers.pop()!
    return { origin: `http://127.0.0.1:${port}`, token: `of-${publisher}`, publisher }
  })

  await t.test('a signal to the whole group lets requests in flight finish, and the server exits with 0', async (t) => {
    const { socket, finish, answer } = await startPut(t, port)
    for (const pid of processes(server.log.text())) process.kill(pid, 'SIGINT')
    server.child.kill('SIGINT')
    await server.log.says(/"msg":"stopping"/)
    const ended = once(socket, 'end')
    finish()
    await ended
    t.match(answer.text(), /HTTP\/1\.1 201 Created/)
    t.strictSame(await server.exit, [0, null])
  })

  t.equal(processes(server.log.text()).size, 2, 'both processes answered')
  t.notMatch(server.log.text(), /"level":[56]0/)
  t.equal(server.output.text().match(/listens at/g)?.length, 1, 'one greeting')
})

await t.test('WORKERS=2: a connection above the bound of every process is closed (engine-facts#node-cluster-max-connections)', async (t) => {
  const server = start(t, { STORAGE: await sharedSetting(t), WORKERS: '2', MAX_CONNECTIONS: '1' })
  const port = Number(await listening(server))
  const closed: Array<Promise<unknown>> = []
  // Two fill both processes, whichever has them.
  for (let opened = 0; opened < 3; opened++) {
    const socket = connect(port, '127.0.0.1').resume()
    t.teardown(() => { socket.destroy() })
    socket.on('error', () => {})
    closed.push(new Promise((resolve) => { socket.once('close', resolve) }))
  }
  await Promise.race(closed)
  await server.log.says(/connections are closed: as many as allowed are open/)
})

await t.test('WORKERS=2: a worker that ends unasked ends the server with 1, and says so', async (t) => {
  const server = start(t, { STORAGE: await sharedSetting(t), WORKERS: '2' })
  await listening(server)
  process.kill([...processes(server.log.text())][0]!, 'SIGKILL')
  t.strictSame(await server.exit, [1, null])
  t.match(server.log.text(), /^worker \d+ ended unasked \(code null, signal SIGKILL\), so the server stops$/m)
})

await t.test('SIGTERM while workers are starting: those that started stop, and no other starts', async (t) => {
  const server = start(t, { STORAGE: await sharedSetting(t), WORKERS: '5' })
  await server.log.says(/Server listening/)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exit, [0, null])
  t.equal(server.output.text(), '', 'no greeting')
  t.ok(processes(server.log.text()).size < 5)
})

await t.test('WORKERS=2: a port that is taken stops the start with one line, told once', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { taken.close() })
  await once(taken, 'listening')
  const PORT = String((taken.address() as AddressInfo).port)
  const { exit, log, output } = start(t, { STORAGE: `sqlite:${fileOf(t)}`, PORT, WORKERS: '2' })
  t.strictSame(await exit, [1, null])
  t.match(log.text(), /^PORT names a port that another process listens on[^\n]*\n$/)
  t.equal(output.text(), '')
})

await t.test('a message that a dead worker did not get is no error of the primary; that a worker did not begin is one', async (t) => {
  const workerOf = (pid: number | undefined) => {
    const worker = Object.assign(new EventEmitter(), { process: { pid } })
    ignoreLostMessages(worker as unknown as Worker)
    return worker
  }
  const error = new Error('write EPIPE')
  t.ok(workerOf(7).emit('error', error))
  t.throws(() => workerOf(undefined).emit('error', error), error)
})
