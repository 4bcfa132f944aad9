import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openedEtcd } from '../../support/etcd/engine.js'
import { Load } from '../../support/etcd/load.js'
import { ABSENT } from '../../support/expectations.js'
import { newFolder } from '../../support/services/engine-process.js'
import { startEtcd, startEtcdCluster } from '../../support/services/etcd.js'
import { skipWithoutOwn } from '../../support/services/programs.js'

const KILLS = 5
const WRITES = 20

await t.test(`etcd: killed ${KILLS} times under load; nothing that was acknowledged is lost, nothing applied twice, nothing that was refused is there`, { skip: skipWithoutOwn('etcd') }, async (t) => {
  const service = await startEtcd(t, { own: true })
  const adapters = await Promise.all([1, 2, 3].map(() => openedEtcd(t, { endpoints: service.url, timeout: 2000 })))
  const load = await Load.start(adapters)
  for (let kill = 0; kill < KILLS; kill++) {
    await t.resolves(load.more(100), `it writes before kill ${kill}`)
    await service.restart()
  }
  await t.resolves(load.more(100), 'it writes afterwards')
  t.strictSame(await load.flaws(adapters[0]!), [])
  t.strictSame(load.failures, [])
  t.comment(load.counts)
})

await t.test('etcd: every write is on disk before its answer: a sync for each that comes alone, and one for many that come together', { skip: skipWithoutOwn('etcd', 'strace') }, async (t) => {
  const folder = newFolder('strace')
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  const trace = join(folder, 'trace')
  const { url } = await startEtcdCluster(t, {
    places: [{ host: '127.0.0.1', through: ['strace', '-f', '-y', '-e', 'trace=fdatasync,fsync', '-o', trace] }]
  })
  const adapter = await openedEtcd(t, { endpoints: url })
  // Only of the write-ahead log; the database itself is synced by a timer.
  const syncs = () => readFileSync(trace, 'utf8').match(/f(data)?sync\(\d+<[^>]*\.wal>/g)?.length ?? 0

  const before = syncs()
  for (let index = 0; index < WRITES; index++) await adapter.write(`alone${index}`, index, ABSENT)
  const alone = syncs() - before
  await Promise.all(Array.from({ length: WRITES }, (_, index) => adapter.write(`together${index}`, index, ABSENT)))
  const together = syncs() - before - alone
  t.ok(alone >= WRITES, `${alone} syncs for ${WRITES} writes one by one`)
  t.ok(together >= 1 && together < WRITES / 2, `${together} syncs for ${WRITES} writes at once`)
})
