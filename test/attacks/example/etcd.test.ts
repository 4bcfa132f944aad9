import t from 'tap'
import { call, put } from '../../support/example/server-client.js'
import { listening, start } from '../../support/example/server-process.js'
import { auth, startWithLogin } from '../../support/etcd/users.js'
import { startEtcdCluster } from '../../support/services/etcd.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { storageSetting } from '../../support/services/service.js'
import { until } from '../../support/until.js'

await t.test('etcd: with a wrong password the server says so in one line, and ends', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { host } = new URL((await startWithLogin(t)).url)
  const wrong = start(t, { STORAGE: `etcd://${auth.user}:hush@${host}`, LOG_LEVEL: 'silent' })
  t.strictSame(await wrong.exit, [1, null])
  t.match(wrong.log.text(), /^[^\n]*does not know this user[^\n]*\n$/)
  t.notMatch(wrong.log.text() + wrong.output.text(), /hush/)
  await listening(start(t, { STORAGE: `etcd://${auth.user}:${encodeURIComponent(auth.password)}@${host}` }))
})

await t.test('etcd: the server goes on when one of three members is killed, and nothing that it acknowledged is lost', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { url, members } = await startEtcdCluster(t)
  const port = await listening(start(t, { STORAGE: storageSetting(url) }))
  t.equal((await put(port, 'before')).status, 201)
  // The member that the server asks. If it led, the others first elect a new leader.
  await members[0]!.kill()
  const statuses: number[] = []
  const last = await until('the server writes again', async () => {
    const { status } = await put(port, 'after', { 'if-match': '*' })
    statuses.push(status)
    return status < 500 && status
  })
  t.match(last, /^20[01]$/)
  t.ok(statuses.slice(0, -1).every((status) => status === 503), 'unavailable meanwhile, and nothing else')
  for (const name of ['before', 'after']) t.equal((await call(port, `/${name}`)).status, 200)
})
