import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { postgresAdapter } from '../../../lib/storage/postgres/index.js'
import type { Write } from '../../../lib/storage/kit/entity-table.js'
import { PostgresSession } from '../../../lib/storage/postgres/session.js'
import { quotedTable, statementsOn } from '../../../lib/storage/postgres/sql.js'
import { PostgresTable } from '../../../lib/storage/postgres/table.js'
import { sqlStateFault } from '../../../lib/storage/statements/index.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { batchCases, LARGE } from '../../support/postgres/batch-cases.js'
import { NotingClient, openedAdapter, subjectsOn, warningsOf } from '../../support/postgres/subjects.js'
import { uniqueName } from '../../support/services/service.js'
import type { EngineClient } from '../../support/statements/engine-cases.js'
import { postgresTables, rowVersionCases } from '../../support/statements/row-versions.js'

// One PGlite for all tests that need no server: it takes seconds to make.
const lite = await PGlite.create()
t.teardown(async () => { await lite.close() })

await t.test('postgres: without the table the boot fails; createTable makes it once; a setting that can lose writes is a warning', async (t) => {
  const adapter = postgresAdapter({ client: lite })
  await t.rejects(adapter.open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /CREATE TABLE/ })
  await adapter.createTable()
  await adapter.createTable()
  const warnings = await warningsOf(async () => { await adapter.open!() })
  t.match(warnings, [{ code: 'FST_IF_MATCH_POSTGRES_NOT_DURABLE', message: /fsync = off/ }])
})

await t.test('postgres: each operation is one statement; undefined says that nothing matched', async (t) => {
  const write = (key: string, version: string, expectation: Write['expectation']): Write =>
    ({ key, version, json: '{"n":1}', expectation, options: { digest: 'd' } })
  for (const isInTransaction of [false, true]) {
    const statements = statementsOn(quotedTable({}), isInTransaction ? 0 : 1000)
    const table = new PostgresTable(new PostgresSession(lite, { timeout: 60_000 }), statements, isInTransaction)
    t.equal(await table.write(write('k', 'a', EXISTS)), undefined)
    t.strictSame(await table.write(write('k', 'a', ABSENT)), { applied: true, version: 'a', created: true })
    t.equal(await table.write(write('k', 'b', ABSENT)), undefined)
    t.strictSame(await table.write(write('k', 'b', versionIn('x', 'a'))), {
      applied: true,
      version: 'b',
      created: false
    })
    t.equal(await table.write(write('k', 'c', versionIn())), undefined)
    t.strictSame(await table.write(write('k', 'c', ANY)), { applied: true, version: 'c', created: false })
    const one = { value: { n: 1 } }
    t.strictSame({ ...await table.read('k') }, { ...one, version: 'c', replaced: 'b', digest: 'd' })
    t.equal(await table.read('none'), undefined)
    await table.write({ ...write('bare', 'a', ABSENT), options: undefined })
    t.strictSame({ ...await table.read('bare') }, { ...one, version: 'a', replaced: undefined, digest: undefined })
    await table.remove('bare', EXISTS)
    t.strictSame((await table.list('k', '', 9)).map(({ key }) => key), ['k'])
    t.strictSame((await table.list('', 'k', 9)), [])
    t.equal(await table.remove('k', versionIn('a')), undefined)
    t.equal(await table.remove('k', versionIn('"')), undefined)
    t.strictSame(await table.remove('k', versionIn('c')), { applied: true })
    t.equal(await table.remove('k', EXISTS), undefined)
  }
})

await t.test('postgres: a write with a client of "context" is part of its transaction; a context without one, or with a pool, is refused', async (t) => {
  const { adapter } = await openedAdapter(lite)
  await lite.transaction(async (transaction) => {
    const options = { context: { client: transaction } }
    t.match(await adapter.write('k', 1, ABSENT, options), { applied: true })
    t.match(await adapter.write('k', 2, ABSENT, options), { applied: false, current: { value: 1 } })
    t.match(await adapter.read('k', options), { value: 1 })
    t.match(await adapter.remove('k', EXISTS, options), { applied: true })
    await transaction.rollback()
  })
  t.equal(await adapter.read('k'), undefined)
  const outside = { query () {}, getTransactionStatus: () => 'I' }
  const clients = [{}, lite, Promise.resolve(lite), new pg.Pool(), outside]
  for (const context of [null, {}, ...clients.map((client) => ({ client }))]) {
    await t.rejects(adapter.write('k', 1, ANY, { context }), { code: 'FST_IF_MATCH_INVALID_OPTIONS' })
  }
})

await t.test('postgres: a transaction that was left open on a PGlite takes no write along, and one of its transaction() is waited for', async (t) => {
  const { adapter } = await openedAdapter(lite)
  for (const fails of [false, true]) {
    await lite.query('BEGIN')
    if (fails) await lite.query('SELECT 1 / 0').catch(() => {})
    const calls: Array<() => Promise<unknown>> = [
      ...Array.from({ length: 20 }, (_, index) => () => adapter.write(`k${index}`, 1, ANY)),
      () => adapter.remove('k', EXISTS), () => adapter.read('k'), () => adapter.list('')
    ]
    for (const call of calls) {
      await t.rejects(call(), {
        code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
        cause: { cause: { message: /inside a transaction of the app/ } }
      })
    }
    await lite.query('ROLLBACK')
  }
  const began = lite.query('BEGIN')
  await t.rejects(adapter.write('k', 1, ANY), { code: /STORAGE_UNAVAILABLE|OUTCOME_UNKNOWN/ })
  await began
  await lite.query('ROLLBACK')
  let writing: Promise<unknown> | undefined
  await lite.transaction(async (transaction) => {
    await transaction.query('SELECT 1')
    writing = adapter.write('k', 1, ABSENT)
    await new Promise(setImmediate)
    await transaction.query('SELECT 1')
  })
  t.match(await writing, { applied: true })
})

await t.test('postgres: a write that went alone and whose answer was lost is proven, too', async (t) => {
  const client = new NotingClient(lite)
  const { adapter } = await openedAdapter(client)
  client.around = async (text, send) => {
    const result = await send()
    if (/INSERT/.test(text)) throw new Error('lost')
    return result
  }
  t.match(await adapter.write('k', LARGE, ABSENT), { applied: true, created: true })
  client.around = async (text, send) => {
    if (/INSERT/.test(text)) throw new Error('lost')
    return await send()
  }
  await t.rejects(adapter.write('j', 1, ABSENT), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
  client.around = async () => { throw Object.assign(new Error('simulated'), { code: '57014' }) }
  const reading = t.rejects(adapter.read('j'))
  await adapter.close!()
  await reading
  await t.rejects(adapter.write('j', 1, ABSENT), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
})

await t.test('postgres: batches through PGlite', async (t) => {
  await batchCases(t, lite)
})

await t.test('postgres: conformance through PGlite, which is one connection for both adapters', async (t) => {
  await conformanceSuite({
    test: (title, run) => t.test(title, run),
    createAdapter: subjectsOn(lite, lite, lite),
    faults: false
  })
})

// All ways to make versions are raced on a server, in test/attacks/postgres.
await t.test('postgres: statements through PGlite', async (t) => {
  await rowVersionCases(t, 'versions by a counter', postgresTables(sqlStateFault)['a counter']!, async (t, schema) => {
    const name = uniqueName()
    await lite.exec(`CREATE SCHEMA ${name}; SET search_path TO ${name}; ${schema}`)
    t.teardown(async () => { await lite.exec('RESET search_path') })
    const client: EngineClient = {
      async run (sql, values) {
        const { rows, affectedRows } = await lite.query(sql, values)
        return { rows, count: affectedRows! }
      }
    }
    return [client, client]
  })
})
