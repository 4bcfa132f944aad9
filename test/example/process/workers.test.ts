import { once } from 'node:events'
import t from 'tap'
import { CLIENT_CHECKS, runClientChecks } from '../../support/example/client-checks.js'
import { put } from '../../support/example/server-client.js'
import { listening, processes, start } from '../../support/example/server-process.js'
import { startPut } from '../../support/example/started-put.js'
import { sharedSetting } from '../../support/example/storage.js'

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

await t.test('SIGTERM while workers are starting: those that started stop, and no other starts', async (t) => {
  const server = start(t, { STORAGE: await sharedSetting(t), WORKERS: '5' })
  await server.log.says(/Server listening/)
  server.child.kill('SIGTERM')
  t.strictSame(await server.exit, [0, null])
  t.equal(server.output.text(), '', 'no greeting')
  t.ok(processes(server.log.text()).size < 5)
})
