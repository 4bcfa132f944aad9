import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import ifMatch from 'fastify-if-match'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { statementsAdapter } from 'fastify-if-match/storage/statements'
import { ABSENT, ANY, EXISTS } from '../../support/expectations.js'
import { addOfferRoutes, newApp, send } from '../../support/offers-app.js'
import { fileOf, temporaryFile } from '../../support/sqlite/handles.js'
import { create, KEY, wave } from '../../support/table/table.js'
import { anything } from './anything.js'
import { offer } from './offer.js'
import { offersAdapter } from './soft-deletion.js'

const schema = readFileSync('test/docs/write-an-adapter/soft-deletion.sql', 'utf8')

await t.test('soft deletion: the adapter of the guide keeps the contract', async (t) => {
  await conformanceSuite({
    test: (title, run) => t.test(title, run),
    list: false,
    async createAdapter () {
      const { file, remove } = temporaryFile()
      const databases: Database.Database[] = []
      const connect = () => {
        const database = new Database(file, { timeout: 0 })
        database.pragma('synchronous = OFF') // no power fails here, and each case has a file of its own
        databases.push(database)
        return database
      }
      connect().exec(schema)
      return {
        adapter: offersAdapter(connect(), anything),
        another: async () => offersAdapter(connect(), anything),
        async cut () {
          const owner = connect().exec('BEGIN EXCLUSIVE')
          return async () => { owner.exec('ROLLBACK') }
        },
        async close () {
          for (const database of databases) database.close()
          remove()
        }
      }
    }
  })
})

function openTable (t: Test) {
  const database = new Database(fileOf(t))
  t.teardown(() => database.close())
  database.exec(schema)
  const row = () => database.prepare<[], Record<string, unknown>>('SELECT * FROM offers').get()
  return { database, adapter: offersAdapter(database, offer), row }
}

await t.test('soft deletion: a row that is marked is absent for every operation, and keeps its content', async (t) => {
  const { adapter, row } = openTable(t)
  const version = await create(adapter)
  t.same(await adapter.remove(KEY, EXISTS), { applied: true })
  t.match(row(), { title: 'Wave', deleted_at: /^\d{4}-/ })
  t.equal(await adapter.read(KEY), undefined)
  for (const expectation of [EXISTS, { kind: 'version', versions: [version, String(row()!['version'])] }] as const) {
    t.same(await adapter.write(KEY, wave, expectation), { applied: false, current: undefined }, expectation.kind)
    t.same(await adapter.remove(KEY, expectation), { applied: false, current: undefined }, expectation.kind)
  }
})

await t.test('soft deletion: a creation revives the row with another content and version, and no earlier tag fits again', async (t) => {
  const { adapter, row } = openTable(t)
  const seen = new Set([await create(adapter)])
  for (const expectation of [ABSENT, ANY]) {
    await adapter.remove(KEY, EXISTS)
    seen.add(String(row()!['version']))
    const result = await adapter.write(KEY, { ...wave, price: seen.size }, expectation)
    t.match(result, { applied: true, created: true })
    t.match(row(), { price: seen.size, replaced: null, deleted_at: null })
    t.notOk(seen.has(String(row()!['version'])))
    t.match(await adapter.write(KEY, wave, { kind: 'version', versions: [...seen] }), { applied: false })
    t.match(await adapter.write(KEY, wave, ABSENT), { applied: false, current: { version: row()!['version'] } })
    seen.add(String(row()!['version']))
  }
  t.equal(seen.size, 5)
})

await t.test('soft deletion: who marks or revives a row by SQL moves its version, too', async (t) => {
  const { database, adapter, row } = openTable(t)
  const versions = new Set([await create(adapter)])
  database.exec("UPDATE offers SET deleted_at = datetime('now')")
  versions.add(String(row()!['version']))
  t.equal(await adapter.read(KEY), undefined)
  database.exec('UPDATE offers SET deleted_at = NULL')
  versions.add((await adapter.read(KEY))!.version)
  t.equal(versions.size, 3)
})

await t.test('soft deletion: over HTTP, DELETE is 204 and then 404, and a PUT creates again with 201', async (t) => {
  const { adapter } = openTable(t)
  const app = newApp(t)
  await app.register(ifMatch, { storage: adapter })
  addOfferRoutes(app)
  const { headers: { etag } } = await send(app, 'PUT /offers/wave', { 'if-none-match': '*' }, wave)
  const tag = { 'if-match': etag }
  const statuses: number[] = []
  const request = async (...args: [string, object?, object?]) => {
    const response = await send(app, ...args as [string])
    statuses.push(response.statusCode)
  }
  await request('DELETE /offers/wave', tag)
  await request('GET /offers/wave')
  await request('DELETE /offers/wave', tag)
  await request('PUT /offers/wave', tag, wave)
  await request('PUT /offers/wave', { 'if-none-match': '*' }, wave)
  await request('PUT /offers/wave', tag, wave)
  await request('PUT /offers/wave', { 'if-none-match': '*' }, wave)
  t.same(statuses, [204, 404, 404, 412, 201, 412, 412])
})

/** The adapter of the guide with another INSERT. */
function withInsert (database: Database.Database, insert: (id: string) => number) {
  const own = offersAdapter(database, offer)
  const select = database.prepare('SELECT * FROM offers WHERE id = ? AND deleted_at IS NULL')
  return statementsAdapter({
    ...offer,
    client: database,
    read: (_client, id) => select.get(id) as never,
    update: () => 0,
    insert: (_client, id) => insert(id),
    remove: async (_client, id) => (await own.remove(`/offers/${id}`, EXISTS)).applied ? 1 : 0
  })
}

await t.test('soft deletion: an INSERT that does nothing meets the hidden row each time, and ends in STORAGE_FAULT', async (t) => {
  const { database, adapter } = openTable(t)
  await create(adapter)
  await adapter.remove(KEY, EXISTS)
  const insert = database.prepare(
    "INSERT INTO offers (id, title, price, published) VALUES (?, '', 0, 0) ON CONFLICT (id) DO NOTHING"
  )
  let times = 0
  const naive = withInsert(database, (id) => {
    times++
    return insert.run(id).changes
  })
  await t.rejects(naive.write(KEY, wave, ABSENT), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
  t.equal(times, 16)
})

await t.test('soft deletion: an INSERT may refuse an id that was deleted, with an error of the app', async (t) => {
  const { database, adapter, row } = openTable(t)
  await create(adapter)
  await adapter.remove(KEY, EXISTS)
  const before = row()
  const strict = withInsert(database, () => {
    throw Object.assign(new Error('This offer was deleted. Use another id.'), { statusCode: 409 })
  })
  const app = newApp(t)
  await app.register(ifMatch, { storage: strict })
  addOfferRoutes(app)
  const response = await send(app, 'PUT /offers/wave', { 'if-none-match': '*' }, wave)
  t.match(response.json(), { statusCode: 409, message: 'This offer was deleted. Use another id.' })
  t.strictSame(row(), before)
})
