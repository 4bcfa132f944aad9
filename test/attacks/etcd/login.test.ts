import t from 'tap'
import { openedEtcd } from '../../support/etcd/engine.js'
import { auth, startWithLogin } from '../../support/etcd/users.js'
import { ANY, EXISTS } from '../../support/expectations.js'
import { skipWithoutOwn } from '../../support/services/programs.js'

await t.test('etcd: with a login everything works, batches and listings too, after a restart, which forgets all tokens', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const service = await startWithLogin(t)
  const adapter = await openedEtcd(t, { endpoints: service.url, auth })
  const applied = { applied: true }
  t.match(await Promise.all(['a', 'b', 'c'].map(async (key) => await adapter.write(key, key, ANY))), [
    applied,
    applied,
    applied
  ])
  await service.restart()
  t.match(await Promise.all(['a', 'b'].map(async (key) => await adapter.write(key, 2, EXISTS))), [applied, applied])
  await service.restart()
  t.match(await adapter.write('a', 3, EXISTS), applied)
  await service.restart()
  t.equal((await adapter.list('')).items.length, 3)
  t.match(await adapter.remove('a', EXISTS), applied)
})
