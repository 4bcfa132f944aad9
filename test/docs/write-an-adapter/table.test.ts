import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { FaultyHandle, fileOf, sqliteError } from '../../support/sqlite/handles.js'
import { tableCases } from '../../support/table/cases.js'
import { create, KEY, verbOf, wave, type OffersTable } from '../../support/table/table.js'
import { offer, type Offer } from './offer.js'
import { offersAdapter } from './offers-adapter.js'
import { schema } from './schema.js'

/** The adapter of the guide, and the connection of another process on the same file. */
async function openTable (t: Test): Promise<OffersTable> {
  const file = fileOf(t)
  const other = new Database(file, { timeout: 0 })
  other.exec(schema)
  const handle = new FaultyHandle(new Database(file, { timeout: 0 }))
  t.teardown(() => {
    handle.close()
    other.close()
  })
  return {
    adapter: offersAdapter(handle as unknown as Database.Database, offer),
    hooks: handle,
    act: async (sql) => other.exec(sql),
    rows: async (sql) => other.prepare(sql).all()
  }
}

await tableCases('own table', openTable)

await t.test('own table: plain SQL sees the types of the columns', async (t) => {
  const { adapter, rows } = await openTable(t)
  await create(adapter)
  t.strictSame(await rows('SELECT typeof(title) AS title, typeof(price) AS price, published FROM offers'), [
    { title: 'text', price: 'integer', published: 0 }
  ])
})

await t.test('own table: a transaction that is open on the handle takes no write along', async (t) => {
  const database = new Database(fileOf(t))
  t.teardown(() => database.close())
  database.exec(schema)
  const adapter = offersAdapter(database, offer)
  database.exec('BEGIN')
  await t.rejects(adapter.write(KEY, wave, ANY), {
    code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
    cause: { message: 'a transaction is open on the handle' }
  })
  database.exec('COMMIT')
  t.match(await adapter.write(KEY, wave, ABSENT), { applied: true })
})

const FAULTS = {
  SQLITE_BUSY: 'STORAGE_UNAVAILABLE',
  SQLITE_BUSY_SNAPSHOT: 'STORAGE_UNAVAILABLE',
  SQLITE_FULL: 'STORAGE_UNAVAILABLE',
  SQLITE_READONLY: 'STORAGE_UNAVAILABLE',
  SQLITE_IOERR_FSYNC: 'OUTCOME_UNKNOWN',
  SQLITE_CORRUPT: 'OUTCOME_UNKNOWN'
}

await t.test('own table: a failed write is UNAVAILABLE where SQLite undid it, and OUTCOME_UNKNOWN otherwise; it is not sent again', async (t) => {
  const { adapter, hooks } = await openTable(t)
  const calls: Record<string, (adapter: StorageAdapter<Offer>) => Promise<unknown>> = {
    UPDATE: async (adapter) => await adapter.write(KEY, wave, ANY),
    INSERT: async (adapter) => await adapter.write(KEY, wave, ABSENT),
    DELETE: async (adapter) => await adapter.remove(KEY, EXISTS)
  }
  for (const [fault, code] of Object.entries(FAULTS)) {
    for (const [verb, call] of Object.entries(calls)) {
      let times = 0
      hooks.before = (sql) => {
        if (verbOf(sql) !== verb) return
        times++
        throw sqliteError(fault)
      }
      await t.rejects(call(adapter), { code: `FST_IF_MATCH_${code}`, cause: { code: fault } }, `${fault} in ${verb}`)
      t.equal(times, 1)
    }
  }
})

await t.test('own table: a write whose answer is lost is OUTCOME_UNKNOWN, and may be there', async (t) => {
  const { adapter, hooks } = await openTable(t)
  hooks.after = (sql) => { if (verbOf(sql) === 'INSERT') throw sqliteError('SQLITE_IOERR') }
  await t.rejects(adapter.write(KEY, wave, ABSENT), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
  t.strictSame((await adapter.read(KEY))?.value, wave)
})
