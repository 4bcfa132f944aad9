import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { findProgram, missingPrograms, programOf, SERVICE_NAMES, skipWithout, skipWithoutOwn } from './programs.js'
import { startRedisCluster } from './redis-cluster.js'
import { startRedis } from './redis.js'
import { uniqueName } from './service.js'

const UNSET = {
  REQUIRE_SERVICES: undefined,
  POSTGRES_URL: undefined,
  MYSQL_URL: undefined,
  REDIS_URL: undefined,
  REDIS_CLUSTER_URL: undefined,
  ETCD_URL: undefined
}

/** A machine with these programs and this environment, until the test ends. */
function machine (t: Test, programs: string[], variables: Record<string, string> = {}): string {
  const root = t.testdir()
  for (const program of ['bin/', ...programs]) {
    const path = join(root, program)
    mkdirSync(program.endsWith('/') ? path : dirname(path), { recursive: true })
    if (!program.endsWith('/')) writeFileSync(path, '', { mode: 0o755 })
  }
  for (const [name, value] of Object.entries({ ...UNSET, PATH: join(root, 'bin'), ...variables })) {
    const before = process.env[name]
    const put = (value: string | undefined): void => {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    put(value)
    t.teardown(() => { put(before) })
  }
  return root
}

await t.test('a missing program is a reason to skip, which names it', (t) => {
  machine(t, ['bin/redis-server', 'bin/ps'])
  t.equal(skipWithout('redis'), false)
  t.equal(
    skipWithout('redis', 'postgres', 'redis-cluster', 'pgbouncer', 'etcd'),
    'no postgres, initdb, redis-cli, pgbouncer, etcd on PATH'
  )
  t.equal(skipWithoutOwn('etcd'), 'no etcd on PATH')
  t.strictSame(SERVICE_NAMES.filter((name) => missingPrograms(name).length === 0), ['redis'])
  t.end()
})

await t.test('with REQUIRE_SERVICES=1 a missing program is an error, and a present one is none', (t) => {
  machine(t, ['bin/redis-server', 'bin/ps'], { REQUIRE_SERVICES: '1' })
  t.equal(skipWithout('redis'), false)
  t.throws(() => skipWithout('etcd'), { message: 'REQUIRE_SERVICES=1, and no etcd on PATH: install it.' })
  t.throws(() => skipWithoutOwn('etcd'), /no etcd/)
  t.end()
})

await t.test('without the reason, the start says what is missing', async (t) => {
  machine(t, [])
  await t.rejects(startRedis(t), { message: 'There is no redis-server on PATH: skip this test with skipWithout().' })
})

await t.test('Debian’s places: sbin, and the newest PostgreSQL', (t) => {
  const root = machine(t, [
    'sbin/pgbouncer',
    'lib/postgresql/9/bin/postgres',
    'lib/postgresql/17/bin/postgres',
    'bin/etcd/'
  ])
  t.equal(findProgram('pgbouncer'), join(root, 'sbin/pgbouncer'))
  t.equal(programOf('postgres'), join(root, 'lib/postgresql/17/bin/postgres'))
  t.equal(findProgram('etcd'), undefined, 'a folder is no program')
  chmodSync(join(root, 'sbin/pgbouncer'), 0o644)
  t.equal(findProgram('pgbouncer'), undefined, 'nor what may not be run')
  t.end()
})

await t.test('a shared server is used, no test may stop it, and who needs one of its own gets one', async (t) => {
  machine(t, [], { REDIS_URL: 'redis://shared:1', REDIS_CLUSTER_URL: 'redis://shared:1,redis://shared:2' })
  t.equal(skipWithout('redis'), false)
  t.equal(skipWithoutOwn('redis'), 'no redis-server, ps on PATH')
  const service = await startRedis(t)
  t.strictSame([service.url, service.pid], ['redis://shared:1', undefined])
  await t.rejects(service.kill(), /own: true/)
  await t.rejects(service.restart(), /own: true/)
  t.throws(() => { service.pause() }, /own: true/)
  t.throws(() => { service.resume() }, /own: true/)
  await t.rejects(
    startRedis(t, { settings: { appendonly: 'yes' } }),
    /no redis-server/,
    'settings are for one of our own'
  )
  await t.rejects(startRedis(t, { own: true }), /no redis-server/)
  const cluster = await startRedisCluster(t)
  t.strictSame(cluster.members.map(({ url }) => url), ['redis://shared:1', 'redis://shared:2'])
  await cluster.settled()
})

await t.test('a unique name is safe as a table, a prefix and a key', (t) => {
  const names = Array.from({ length: 100 }, uniqueName)
  t.equal(new Set(names).size, 100)
  t.strictSame(names.filter((name) => !/^[a-z][a-z0-9]{10,30}$/.test(name)), [])
  t.end()
})
