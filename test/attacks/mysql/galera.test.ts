import mysql, { type Pool, type PoolConnection } from 'mysql2/promise'
import t, { type Test } from 'tap'
import type { StorageAdapter, WriteResult } from 'fastify-if-match'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { mysqlAdapter } from '../../../lib/storage/mysql/index.js'
import { mysqlTransaction } from '../../../lib/storage/transactions/index.js'
import { ABSENT, ANY, versionIn } from '../../support/expectations.js'
import { PATIENT, subjectsOn } from '../../support/mysql/subjects.js'
import { startGalera, type Node } from '../../support/services/galera.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'
import { until } from '../../support/until.js'

const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 20)
const WRITERS = 4
const LOADED = 300

/** A node with a pool and an open adapter of its own, as a server process beside the node has them. */
interface Site { node: Node, pool: Pool, adapter: StorageAdapter<string> }

await t.test('galera: three nodes, each with writers of its own', { skip: skipWithoutOwn('galera') }, async (t) => {
  const nodes = await startGalera(t)
  const table = uniqueName()
  const sites: Site[] = []
  for (const node of nodes) {
    const pool = poolTo(t, node)
    const adapter = mysqlAdapter<string>({ client: pool, table, ...PATIENT })
    if (sites.length === 0) await adapter.createTable()
    await until('the table is there', () => adapter.open!().then(() => true, () => false))
    sites.push({ node, pool, adapter })
  }
  const [first, second, third] = sites as [Site, Site, Site]
  const everywhere = async (key: string, version: string | undefined): Promise<void> => {
    for (const { adapter } of sites) {
      await until(`each node has ${key}`, async () => (await adapter.read(key))?.version === version)
    }
  }

  // The server may send a statement of its client again by itself, after another node was faster.
  for (const resent of [0, 1]) {
    const resends = `with wsrep_retry_autocommit=${resent}`

    await t.test(`galera: of ${3 * WRITERS} writers on three nodes under one version one wins, and so does one of those that create or remove one, ${resends}`, async (t) => {
      for (const { pool } of sites) await pool.query(`SET GLOBAL wsrep_retry_autocommit = ${resent}`)
      const before = await conflicts(sites)
      for (let round = 0; round < ROUNDS; round++) {
        const key = `${resent}/${round}`
        const created = await race(sites, ({ adapter }, name) => adapter.write(key, name, ABSENT))
        t.equal(created.winners.length, 1, 'one created it')
        const [{ version }] = created.winners as [Winner]
        await everywhere(key, version)
        t.equal((await third.adapter.read(key))?.value, created.winners[0]?.name, 'with its own value')

        const written = await race(sites, ({ adapter }, name) => adapter.write(key, name, versionIn(version!)))
        t.equal(written.winners.length, 1, 'one replaced it')
        const [winner] = written.winners as [Winner]
        await everywhere(key, winner.version)
        t.match(await third.adapter.read(key), { value: winner.name, replaced: version }, 'and nobody else did')

        const removed = await race(sites, ({ adapter }) => adapter.remove(key, versionIn(winner.version!)))
        t.equal(removed.winners.length, 1, 'one removed it')
        await everywhere(key, undefined)
        t.strictSame([...created.failed, ...written.failed, ...removed.failed], [], 'all others were refused')
      }
      t.ok(await conflicts(sites) > before, 'the nodes met')
    })
  }

  await t.test('galera: a node that is late shows the version before; with wsrep_sync_wait the newest; and a write under the one before is refused', async (t) => {
    const before = await first.adapter.write('late', 'before', ANY)
    if (!before.applied) throw new Error('not applied')
    await everywhere('late', before.version)
    const patient = mysqlAdapter<string>({ client: syncedPoolTo(t, second.node), table, ...PATIENT })
    t.match(await patient.read('late'), { value: 'before' })
    const holder = await mysql.createConnection(second.node.url)
    t.teardown(() => { holder.destroy() })
    // It holds up what comes from other nodes.
    await holder.query('FLUSH TABLES WITH READ LOCK')
    const after = await first.adapter.write('late', 'after', versionIn(before.version))
    t.match(after, { applied: true })
    t.match(await second.adapter.read('late'), { value: 'before', version: before.version }, 'the one before')

    const newest = patient.read('late')
    const write = second.adapter.write('late', 'lost', versionIn(before.version))
    const both = Promise.all([newest, write])
    await until('both wait', async () => {
      const [rows] = await second.pool.query(
        'SELECT 1 FROM information_schema.processlist WHERE info LIKE ? AND id <> connection_id()',
        [`%${table}%`]
      )
      return (rows as unknown[]).length === 2
    })
    await holder.query('UNLOCK TABLES')
    t.match(await both, [{ value: 'after' }, { applied: false }], 'the newest, and a refusal')
    t.match(await first.adapter.read('late'), { value: 'after', replaced: before.version }, 'nothing was lost')
  })

  await t.test('galera: a transaction that another node aborted while it did nothing is CONTENTION at its end, which is run again', async (t) => {
    const before = await first.adapter.write('aborted', 'before', ANY)
    await everywhere('aborted', before.applied ? before.version : undefined)
    const rename = async (client: Pick<Pool, 'query'>, value: string): Promise<unknown> =>
      await client.query(`UPDATE ${table} SET value = ? WHERE \`key\` = 'aborted'`, [JSON.stringify(value)])
    const transaction = mysqlTransaction<PoolConnection>(second.pool)
    await t.rejects(transaction(async (tx) => {
      await rename(tx, 'mine')
      const count = await conflicts([second])
      await rename(first.pool, 'theirs')
      await until('it is aborted', async () => await conflicts([second]) > count)
    }), { code: 'FST_IF_MATCH_CONTENTION' })
    const stored = async (): Promise<unknown> => (await second.adapter.read('aborted'))?.value
    await until('the other is there', async () => await stored() === 'theirs')
    await transaction(async (tx) => await rename(tx, 'again'))
    t.equal(await stored(), 'again')
  })

  await t.test('galera: conformance over two nodes whose connections have wsrep_sync_wait', async (t) => {
    const [one, other] = [syncedPoolTo(t, first.node), syncedPoolTo(t, second.node)]
    await conformanceSuite({
      test: (title, run) => t.test(title, run),
      createAdapter: subjectsOn(one, other, one as never),
      faults: false
    })
  })

  await t.test('galera: a node is killed under load: each acknowledged write is on the others, and no write that was refused or unavailable', async (t) => {
    await underLoad(t, sites, 'kill', async () => await third.node.kill())
    await third.node.restart()
    await everywhere('kill/shared', (await first.adapter.read('kill/shared'))!.version)
  })

  await t.test('galera: a node is cut off under load: each acknowledged write is on the others, and no write that was refused or unavailable', async (t) => {
    await underLoad(t, sites, 'cut', async () => await second.node.cutOff())
    await t.rejects(second.adapter.read('cut/shared'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }, 'it reads nothing')
    await t.rejects(second.adapter.write('x', 'x', ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }, 'nor writes')
    t.match(await until('the others go on', async () =>
      await first.adapter.write('x', 'x', ANY).catch(() => undefined)), { applied: true })
  })
})

function poolTo (t: Test, node: Node): Pool {
  const pool = mysql.createPool({ uri: node.url, connectionLimit: WRITERS })
  t.teardown(() => { void pool.end().catch(() => {}) })
  return pool
}

/** Its statements wait until the node has what the others acknowledged. */
function syncedPoolTo (t: Test, node: Node): Pool {
  const pool = poolTo(t, node)
  pool.on('connection', (connection) => { void connection.query('SET SESSION wsrep_sync_wait = 7') })
  return pool
}

/** How often nodes were in each other's way. */
async function conflicts (sites: Site[]): Promise<number> {
  let sum = 0
  for (const { pool } of sites) {
    const [rows] = await pool.query(
      "SHOW STATUS WHERE variable_name IN ('wsrep_local_bf_aborts', 'wsrep_local_cert_failures')"
    )
    for (const { Value } of rows as Array<{ Value: string }>) sum += Number(Value)
  }
  return sum
}

interface Winner { name: string, version: string | undefined }

/** Each site acts several times at once. */
async function race (
  sites: Site[],
  act: (site: Site, name: string) => Promise<{ applied: boolean, version?: string }>
) {
  const winners: Winner[] = []
  const failed: unknown[] = []
  await Promise.all(sites.flatMap((site, index) => Array.from({ length: WRITERS }, async (_, writer) => {
    const name = `${index}/${writer}`
    try {
      const { applied, version } = await act(site, name)
      if (applied) winners.push({ name, version })
    } catch (error) {
      failed.push((error as { code?: string }).code ?? error)
    }
  })))
  return { winners, failed }
}

/**
 * Writes on all nodes until there is trouble with one of them: entities of their own, and one that all read and replace
 * under the version that they read.
 */
async function underLoad (t: Test, sites: Site[], name: string, trouble: () => Promise<void>): Promise<void> {
  const shared = `${name}/shared`
  const steady = sites[0]!.adapter
  const origin = await steady.write(shared, 'origin', ANY)
  if (!origin.applied) throw new Error('not applied')
  const outcomes = new Map<string, string>()
  const successors = new Map<string, string[]>()
  const load = { isOver: false, count: 0, reached: () => {} }
  const enough = new Promise<void>((resolve) => { load.reached = resolve })
  const note = async (value: string, write: () => Promise<WriteResult<string>>): Promise<string | undefined> => {
    try {
      const result = await write()
      outcomes.set(value, result.applied ? 'acknowledged' : 'refused')
      if (!result.applied) return undefined
      if (++load.count >= LOADED) load.reached()
      return result.version
    } catch (error) {
      outcomes.set(value, String((error as { code?: string }).code))
      return undefined
    }
  }
  const writers = sites.flatMap(({ adapter }, site) => Array.from({ length: WRITERS }, async (_, writer) => {
    for (let index = 0; index < 100_000 && !load.isOver; index++) {
      const own = `${name}/${site}/${writer}/${index}`
      await note(own, async () => await adapter.write(own, own, ABSENT))
      const from = (await adapter.read(shared).catch(() => undefined))?.version
      if (from === undefined) continue
      const to = await note(`${own}/shared`, async () => await adapter.write(shared, `${own}/shared`, versionIn(from)))
      if (to !== undefined) successors.set(from, [...successors.get(from) ?? [], to])
    }
  }))
  await enough
  await trouble()
  // The others notice, and write again.
  load.count = 0
  const again = new Promise<void>((resolve) => { load.reached = resolve })
  await again
  load.isOver = true
  await Promise.all(writers)

  const stored = new Set((await listed(steady, `${name}/`)).map(({ value }) => value))
  const told = (outcome: string) => [...outcomes].filter(([, told]) => told === outcome).map(([value]) => value)
  const own = (values: string[]) => values.filter((value) => !value.endsWith('/shared'))
  t.strictSame(own(told('acknowledged')).filter((value) => !stored.has(value)), [], 'none is lost')
  const nothing = [...told('refused'), ...told('FST_IF_MATCH_STORAGE_UNAVAILABLE'), ...told('FST_IF_MATCH_CONTENTION')]
  t.strictSame(nothing.filter((value) => stored.has(value)), [], 'none that was not applied is there')
  t.strictSame([...successors.values()].filter((next) => next.length > 1), [], 'no version was replaced twice')
  const counts = new Map<string, number>()
  for (const outcome of outcomes.values()) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  t.comment(Object.fromEntries(counts))
}

async function listed (adapter: StorageAdapter<string>, prefix: string): Promise<Array<{ value: string }>> {
  const items: Array<{ value: string }> = []
  let after: string | undefined
  do {
    const page = await adapter.list!(prefix, { after, limit: 1000 })
    items.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return items
}
