import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startEtcd, startEtcdCluster } from '../../support/services/etcd.js'
import { freePort, onFreePorts, PortTaken } from '../../support/services/free-port.js'
import { startPgbouncer } from '../../support/services/pgbouncer.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedisCluster } from '../../support/services/redis-cluster.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName, type Service } from '../../support/services/service.js'

async function query (url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

async function redis<T> (url: string, run: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  try {
    return await run(client)
  } finally {
    client.disconnect()
  }
}

async function etcd (url: string, call: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/v3/kv/${call}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000)
  })
  return await response.json() as Record<string, unknown>
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

await t.test('PostgreSQL: durable by default, and an acknowledged write is there after a kill', { skip: skipWithoutOwn('postgres') }, async (t) => {
  const service = await startPostgres(t, { settings: { max_connections: '20' } })
  const table = uniqueName()
  t.strictSame(await query(service.url, 'SHOW fsync'), ['on'])
  t.strictSame(await query(service.url, 'SHOW synchronous_commit'), ['on'])
  t.strictSame(await query(service.url, 'SHOW max_connections'), ['20'])
  await query(service.url, `CREATE TABLE ${table} AS SELECT 1 AS n`)
  const { pid } = service
  await service.kill()
  t.equal(service.pid, undefined)
  await t.rejects(query(service.url, 'SELECT 1'), { code: 'ECONNREFUSED' })
  await service.restart()
  t.not(service.pid, pid)
  t.strictSame(await query(service.url, `SELECT n FROM ${table}`), [1])
})

await t.test('PostgreSQL: a pause reaches the sessions that are open, and a kill one that is busy', { skip: skipWithoutOwn('postgres') }, async (t) => {
  const service = await startPostgres(t, { own: true })
  const session = new pg.Client({ connectionString: service.url })
  session.on('error', () => {})
  await session.connect()
  service.pause()
  const answer = session.query('SELECT 1')
  t.equal(await Promise.race([answer, delay(200, 'nothing')]), 'nothing')
  service.resume()
  t.equal((await answer).rowCount, 1)
  const busy = session.query('SELECT count(*) FROM generate_series(1, 1000000000000)')
  await Promise.all([t.rejects(busy), service.kill()])
})

await t.test('PgBouncer: pools by transaction', { skip: skipWithout('postgres', 'pgbouncer') }, async (t) => {
  const postgres = await startPostgres(t, { own: true })
  const service = await startPgbouncer(t, postgres.url)
  t.strictSame(await query(service.url, 'SELECT 1'), [1])
  await service.restart()
  t.strictSame(
    await query(service.url.replace(/postgres$/, 'pgbouncer'), 'SHOW CONFIG').then(
      (row) => row[row.indexOf('pool_mode') + 1]
    ),
    'transaction'
  )
})

await t.test('Redis: empty after a kill, or not, as its settings say', { skip: skipWithoutOwn('redis') }, async (t) => {
  for (const settings of [{}, { appendonly: 'yes', appendfsync: 'always' }]) {
    const service = await startRedis(t, { settings })
    await redis(service.url, async (client) => await client.set('key', 'value'))
    await service.kill()
    await service.restart()
    t.equal(
      await redis(service.url, async (client) => await client.get('key')),
      'appendonly' in settings ? 'value' : null
    )
  }
})

await t.test('Redis: paused it does not answer, resumed it does', { skip: skipWithoutOwn('redis') }, async (t) => {
  const service = await startRedis(t, { own: true })
  await redis(service.url, async (client) => {
    await client.ping()
    service.pause()
    const answer = client.ping()
    t.equal(await Promise.race([answer, delay(200, 'nothing')]), 'nothing')
    service.resume()
    t.equal(await answer, 'PONG')
  })
})

await t.test('Redis Cluster: three masters share the slots, and one comes back', { skip: skipWithoutOwn('redis-cluster') }, async (t) => {
  const cluster = await startRedisCluster(t, { own: true })
  t.equal(cluster.members.length, 3)
  await redis(cluster.members[0]!.url, async (client) => {
    await t.rejects(client.set('foo', 'of the third'), /MOVED/)
  })
  await cluster.members[2]!.kill()
  await cluster.members[2]!.restart()
  await cluster.settled()
  t.equal(await redis(cluster.members[2]!.url, async (client) => await client.set('foo', 'of the third')), 'OK')
})

async function writeAndRead (t: Test, writeTo: string, readFrom: string): Promise<void> {
  const key = base64(uniqueName())
  // Refused while there is no leader.
  while ((await etcd(writeTo, 'put', { key, value: base64('value') }))['header'] === undefined);
  t.match(await etcd(readFrom, 'range', { key }), { kvs: [{ value: base64('value') }] })
}

await t.test('etcd: what was written is there after a kill', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const service = await startEtcd(t, { own: true })
  const key = base64(uniqueName())
  await etcd(service.url, 'put', { key, value: base64('value') })
  await service.kill()
  await service.restart()
  t.match(await etcd(service.url, 'range', { key }), { kvs: [{ value: base64('value') }] })
})

await t.test('etcd with three members: one store, which goes on without one of them', { skip: skipWithoutOwn('etcd') }, async (t) => {
  const { members } = await startEtcdCluster(t)
  const [one, two, three] = members.map(({ url }) => url) as [string, string, string]
  await writeAndRead(t, one, three)
  await members[0]!.kill()
  await writeAndRead(t, two, three)
  await members[0]!.restart()
  await writeAndRead(t, two, one)
})

/** Takes its port while it is away, and resolves to what its restart says. */
async function restartWithoutPort (service: Service): Promise<unknown> {
  await service.kill()
  const other = createServer().listen(Number(new URL(service.url).port), '127.0.0.1')
  await once(other, 'listening')
  try {
    return await service.restart().catch((error: unknown) => error)
  } finally {
    other.close()
  }
}

await t.test('each engine tells a port that is taken from other failures', { skip: skipWithoutOwn('postgres', 'pgbouncer', 'redis', 'etcd') }, async (t) => {
  const postgres = await startPostgres(t, { own: true })
  for (const service of [
    await startPgbouncer(t, postgres.url),
    postgres,
    await startRedis(t, { own: true }),
    await startEtcd(t, { own: true })
  ]) {
    t.type(await restartWithoutPort(service), PortTaken, service.url)
  }
  await t.rejects(startRedis(t, { settings: { nonsense: '1' } }), /does not answer:.*nonsense/s)
  await t.rejects(startPostgres(t, { settings: { nonsense: '1' } }), /does not answer:.*nonsense/s)
  await t.rejects(startEtcd(t, { settings: { nonsense: '1' } }), /does not answer:.*nonsense/s)
})

await t.test('what takes a free port is tried again with another one, and not for ever', async (t) => {
  const tried: number[] = []
  const start = async (failures: number): Promise<number> => await onFreePorts(async () => {
    tried.push(await freePort())
    if (tried.length <= failures) throw new PortTaken()
    return tried.length
  })
  t.equal(await start(2), 3)
  t.type(await start(Infinity).catch((error: unknown) => error), PortTaken)
  t.equal(tried.length, 8)
  await t.rejects(onFreePorts(async () => { throw new Error('other') }), { message: 'other' })
})

await t.test('a test that is killed leaves no engine and no folder behind', { skip: skipWithoutOwn('redis-cluster') }, async (t) => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('abandoned.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [line] = await once(createInterface(child.stdout), 'line') as [string]
  const { url, folder } = JSON.parse(line) as { url: string, folder: string }
  t.ok(existsSync(folder))
  child.kill('SIGKILL')
  for (let wait = 0; existsSync(folder) && wait < 500; wait++) await delay(20)
  t.notOk(existsSync(folder))
  await t.rejects(redis(url, async (client) => await client.ping()))
})
