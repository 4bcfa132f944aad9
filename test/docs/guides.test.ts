import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { sqliteTransaction, transactionsAdapter, type Row } from 'fastify-if-match/storage/transactions'
import { guard, type Client } from './existing-clients.js'
import { addConflicts } from './handlers/conflict.js'
import { addOtherTags } from './handlers/other-tags.js'
import { addOffers } from './handlers/permission.js'
import { addPatch } from './handlers/two-columns.js'
import { addPatchInSql } from './handlers/two-columns-in-sql.js'
import { TABLES } from './ids/adapters.js'
import { addOrders } from './ids/orders.js'
import { storageOf } from './ids/storage.js'
import { statements } from './table/migrate.js'
import { app as ordersApp, database } from './table/orders.js'
import { addOffers as addResendableOffers } from './resend.js'
import { ordersAdapter } from './transactions/orders-adapter.js'
import { app as variants } from './variants.js'
import './testing/app-cases.js'
import { addOfferRoutes, newApp, seed, send, statusOf, tagOf, valueOf } from '../support/offers-app.js'

// Which files a guide quotes, each whole in a block of its own. They are compiled and run here, in
// client.test.ts or in integrations/.
const QUOTED: Record<string, string[]> = {
  handlers: ['permission', 'other-tags', 'conflict', 'two-columns', 'two-columns-in-sql'].map(
    (name) => `test/docs/handlers/${name}.ts`
  ),
  'choosing-an-adapter': ['test/docs/copy-entities.ts'],
  'write-an-adapter': ['offers.sql', 'offer.ts', 'offers-adapter.ts', 'anything.ts', 'offers-adapter.test.ts'].map(
    (name) => `test/docs/write-an-adapter/${name}`
  ),
  ids: ['test/docs/ids/orders.ts', 'test/docs/ids/storage.ts'],
  resend: ['test/docs/resend.ts'],
  variants: ['test/docs/variants.ts'],
  transactions: [
    'integrations/drizzle/orders-routes.ts', 'test/docs/transactions/order-writes.sql',
    'test/docs/transactions/orders-adapter.ts'
  ],
  'existing-clients': ['test/docs/existing-clients.ts', 'test/docs/without-if-match.ts'],
  observability: [
    'example/metrics/count-outcomes.ts',
    ...['open-telemetry', 'log-refusals'].map((name) => `test/docs/observability/${name}.ts`)
  ],
  client: ['offers', 'entries', 'tanstack-query', 'openapi-fetch', 'axios'].map(
    (name) => `test/docs/client/${name}.ts`
  ),
  testing: ['app', 'app-cases'].map((name) => `test/docs/testing/${name}.ts`),
  'soft-deletion': ['sql', 'ts'].map((ending) => `test/docs/write-an-adapter/soft-deletion.${ending}`),
  'clients/pg': ['support/orders/postgres.sql', 'order.ts', 'pg/orders-adapter.ts'].map(
    (name) => `integrations/${name}`
  ),
  'clients/mysql2': ['support/orders/mysql.sql', 'mysql2/orders-adapter.ts'].map((name) => `integrations/${name}`),
  'clients/postgres': ['integrations/postgres/orders-adapter.ts'],
  'clients/drizzle': [
    ...['orders-schema', 'orders-adapter', 'in-transaction', 'orders-routes'].map((name) => `drizzle/${name}`),
    'drizzle-sqlite/orders-adapter',
    ...['orders-schema', 'orders-adapter'].map((name) => `drizzle-mysql/${name}`)
  ].map((name) => `integrations/${name}.ts`),
  'clients/kysely': [
    ...['orders-schema', 'orders-adapter', 'orders-routes'].map((name) => `kysely/${name}`),
    'kysely-mysql/orders-adapter'
  ].map((name) => `integrations/${name}.ts`),
  'clients/knex': ['knex/orders-adapter', 'knex/orders-routes', 'knex-mysql/in-transaction'].map(
    (name) => `integrations/${name}.ts`
  ),
  'clients/sequelize': ['orders-schema', 'orders-adapter', 'orders-routes'].map(
    (name) => `integrations/sequelize/${name}.ts`
  ),
  'clients/typeorm': [
    ...['orders-schema', 'orders-adapter', 'orders-routes'].map((name) => `typeorm/${name}`),
    'typeorm-sqlite/orders-adapter',
    'typeorm-mysql/in-transaction'
  ].map((name) => `integrations/${name}.ts`),
  'clients/mikro-orm': ['orders-schema', 'orders-adapter', 'orders-routes'].map(
    (name) => `integrations/mikro-orm/${name}.ts`
  ),
  'clients/better-sqlite3': ['support/orders/sqlite.sql', 'better-sqlite3/orders-adapter.ts'].map(
    (name) => `integrations/${name}`
  ),
  'clients/prisma': [
    ...['schema.prisma', 'orders-adapter.ts', 'orders-routes.ts'].map((name) => `prisma/${name}`),
    ...['schema.prisma', 'orders-adapter.ts'].map((name) => `prisma-mysql/${name}`)
  ].map((name) => `integrations/${name}`),
  nestjs: ['create-app', 'orders.controller', 'if-match.filter'].map((name) => `integrations/nestjs/${name}.ts`),
  table: ['migrate', 'orders'].map((name) => `test/docs/table/${name}.ts`),
  orm: [
    ...['offers.sql', 'offers-adapter.ts', 'offers-adapter.test.ts'].map((name) => `integrations/drizzle/${name}`),
    'integrations/typeorm/offers-adapter.ts',
    'integrations/number-of.ts'
  ]
}

for (const [guide, files] of Object.entries(QUOTED)) {
  await t.test(`guide ${guide}: the code is that of files that are compiled and run`, async (t) => {
    const blocks = readFileSync(`docs/guides/${guide}.md`, 'utf8').split(/^```\w*\n/m)
    for (const file of files) t.ok(blocks.includes(readFileSync(file, 'utf8')), file)
  })
}

await t.test('guide variants: each form has a tag of its own, and a write takes either', async (t) => {
  t.teardown(async () => { await variants.close() })
  const payload = { title: 'a', price: 1 }
  const { headers: { etag } } =
    await variants.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-none-match': '*' }, payload })
  const read = async (headers: Record<string, string>) => await variants.inject({ url: '/offers/1', headers })
  t.equal((await read({})).headers.etag, etag)
  const csv = await read({ accept: 'text/csv', 'if-none-match': String(etag) })
  t.same([csv.statusCode, csv.body], [200, 'title,price\na,1\n'])
  const tag = String(csv.headers.etag)
  t.equal(tag, String(etag).replace(/"$/, ';csv"'))
  t.equal((await read({ accept: 'text/csv', 'if-none-match': tag })).statusCode, 304)
  const put = await variants.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': tag }, payload })
  t.equal(put.statusCode, 200)
})

await t.test('guide resend: what is sent again is told once, and raised once', async (t) => {
  const app = newApp(t)
  const news: string[] = []
  await app.register(ifMatch, { storage: memoryAdapter() })
  addResendableOffers(app, async (text) => { news.push(text) })
  const headers = { 'if-none-match': '*', 'x-user': 'ada' }
  const put = async () => await send(app, 'PUT /offers/1', headers, { title: 'Wave', price: 19 })
  const answers = [await put(), await put()]
  t.strictSame(answers.map(({ statusCode }) => statusCode), [201, 201])
  t.strictSame(news, ['Wave costs 19.'])
  const raise = { 'if-match': answers[1]?.headers.etag, 'x-user': 'ada', 'idempotency-key': '"1"' }
  for (let count = 0; count < 2; count++) {
    t.same((await send(app, 'POST /offers/1/raise', raise)).json(), { title: 'Wave', price: 20 })
  }
})

await t.test('guide table: an order is read and written under its tag, and a line that a job inserts moves it', async (t) => {
  t.teardown(async () => {
    await ordersApp.close()
    database.close()
  })
  const columns = 'id INTEGER PRIMARY KEY, customer TEXT NOT NULL, note TEXT, total INTEGER NOT NULL DEFAULT 0'
  database.exec(`CREATE TABLE orders (${columns})`)
  database.exec('CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id))')
  for (const sql of statements) database.exec(sql)
  database.exec("INSERT INTO orders (id, customer) VALUES (7, 'acme')")
  const read = async () => await ordersApp.inject('/orders/7')
  const put = async (etag: unknown, payload: object) =>
    await ordersApp.inject({ method: 'PUT', url: '/orders/7', headers: { 'if-match': String(etag) }, payload })
  const first = await read()
  t.same(first.json(), { id: 7, customer: 'acme', total: 0 })
  database.exec('INSERT INTO order_lines (order_id) VALUES (7)')
  t.equal((await put(first.headers.etag, first.json())).statusCode, 412)
  const saved = await put((await read()).headers.etag, { ...first.json(), note: 'soon' })
  t.same([saved.statusCode, saved.json()], [200, { id: 7, customer: 'acme', note: 'soon', total: 0 }])
})

await t.test('guide table: the two columns are those that the migration adds, and a job drops the digest', async (t) => {
  const guide = readFileSync('docs/guides/table.md', 'utf8')
  const added = statements.filter((sql) => /ADD COLUMN "(replaced|digest)"/.test(sql))
  t.ok(guide.includes(`\n${added.map((sql) => `${sql};\n`).join('')}`))
  const database = new Database(':memory:')
  t.teardown(() => { database.close() })
  database.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT); INSERT INTO orders VALUES (7, 'acme')")
  database.exec('CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id))')
  for (const sql of statements) database.exec(sql)
  const of = (columns: string) => database.prepare(`SELECT ${columns} FROM orders`).get()
  for (const job of ["UPDATE orders SET customer = 'bolt'", 'INSERT INTO order_lines (order_id) VALUES (7)']) {
    database.exec("UPDATE orders SET row_version = lower(hex(randomblob(12))), replaced = 'r', digest = 'd'")
    const { row_version: replaced } = of('row_version') as { row_version: string }
    database.exec(job)
    t.strictSame({ ...of('replaced, digest') as object }, { replaced, digest: null })
  }
})

await t.test('guide transactions: what is kept of the last write holds until a job adds a line, and goes with the order', async (t) => {
  const database = new Database(':memory:')
  t.teardown(() => { database.close() })
  database.exec(`
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, row_version INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE lines (order_id INTEGER NOT NULL);
    CREATE TRIGGER changed AFTER UPDATE OF customer ON orders BEGIN
      UPDATE orders SET row_version = row_version + 1 WHERE id = NEW.id; END;
    CREATE TRIGGER added AFTER INSERT ON lines BEGIN
      UPDATE orders SET row_version = row_version + 1 WHERE id = NEW.order_id; END`)
  database.exec(readFileSync('test/docs/transactions/order-writes.sql', 'utf8'))
  const orders = ordersAdapter(database)
  const facts = async () => {
    const { version, replaced, digest } = (await orders.read('/orders/7'))!
    return { version, replaced, digest }
  }
  await orders.write('/orders/7', { customer: 'acme' }, { kind: 'absent' }, { digest: 'a' })
  t.strictSame(await facts(), { version: '1', replaced: undefined, digest: 'a' })
  await orders.write('/orders/7', { customer: 'bolt' }, { kind: 'version', versions: ['1'] }, { digest: 'b' })
  t.strictSame(await facts(), { version: '2', replaced: '1', digest: 'b' })
  database.exec('INSERT INTO lines VALUES (7)')
  t.strictSame(await facts(), { version: '3', replaced: undefined, digest: undefined })
  database.exec('DELETE FROM orders')
  t.equal(database.prepare('SELECT count(*) FROM order_writes').pluck().get(), 0)
})

await t.test('guide ids: the database makes the id, POST and the list tell the tag, and writes go to their tables', async (t) => {
  const database = new Database(':memory:')
  database.exec(TABLES)
  const app = newApp(t)
  app.addHook('onClose', async () => { database.close() })
  await app.register(ifMatch, { storage: storageOf(database), global: true })
  addOrders(app, database)
  app.put('/orders/:order/lines/:line', async (request) => (await request.entity().replace(request.body)).value)
  const made = await send(app, 'POST /orders', {}, { title: 'a' })
  t.same([made.statusCode, made.headers.location, made.json()], [201, '/orders/1', { id: 1, title: 'a' }])
  const etag = String(made.headers.etag)
  const list = async () => (await send(app, 'GET /orders')).json()
  t.same(await list(), { items: [{ id: 1, title: 'a', etag }] })
  t.equal(await statusOf(app, 'PUT /orders/1', { 'if-match': '"x"' }, { title: 'b' }), 412)
  const put = await send(app, 'PUT /orders/1', { 'if-match': etag }, { title: 'b' })
  t.equal(put.statusCode, 200)
  t.same(await list(), { items: [{ id: 1, title: 'b', etag: put.headers.etag }] })
  t.equal(await statusOf(app, 'PUT /orders/1', { 'if-match': etag }, { title: 'c' }), 412)
  t.equal(await statusOf(app, 'PUT /orders/2', { 'if-match': '*' }, { title: 'c' }), 404)
  for (const id of ['01', '0', '1.0', 'x', '']) {
    const response = await send(app, `PUT /orders/${id}`, { 'if-match': '*' }, { title: 'c' })
    t.same([response.statusCode, response.json().code], [400, 'FST_IF_MATCH_INVALID_KEY'], id)
  }
  const ids = ['7/lines/1', '7/lines/2', '8/lines/1']
  for (const id of ids) {
    t.equal(await statusOf(app, `PUT /orders/${id}`, { 'if-none-match': '*' }, { product: id }), 200)
    t.equal(await statusOf(app, `PUT /orders/${id}`, { 'if-none-match': '*' }, { product: id }), 412)
  }
  const rows = database.prepare('SELECT "order" || \'/lines/\' || line AS id FROM lines WHERE product = id').pluck()
  t.same(rows.all(), ids)
})

async function guideApp (t: Test, add: (app: FastifyInstance) => void, value: unknown) {
  const storage = memoryAdapter()
  const app = newApp(t)
  await app.register(ifMatch, { storage })
  add(app)
  return { app, storage, etag: await seed(storage, '1', value) }
}

await t.test('guide handlers, a conflict: each caller is shown what the GET shows, and a stranger the tag alone', async (t) => {
  const app = newApp(t)
  const storage = memoryAdapter()
  await app.register(ifMatch, { storage })
  addConflicts(app)
  const etag = await seed(storage, '1', { title: 'a', price: 1, cost: 7, owner: 'ann' })
  const put = async (headers: Record<string, string>) => {
    const response = await send(app, 'PUT /offers/1', { 'if-match': '"stale"', ...headers }, {})
    t.same([response.statusCode, response.headers.etag], [412, etag])
    return response.json()
  }
  const prefer = { prefer: 'return=representation' }
  const offer = { title: 'a', price: 1, owner: 'ann' }
  t.same(await put({ ...prefer, 'x-user': 'ann' }), { ...offer, cost: 7 })
  t.same(await put({ ...prefer, 'x-user': 'bob' }), offer)
  t.same((await send(app, 'GET /offers/1', { 'x-user': 'bob' })).json(), offer)
  t.match(await put(prefer), { type: /#mismatch$/, etag, owner: undefined })
  t.match(await put({ 'x-user': 'bob' }), { type: /#mismatch$/, etag, owner: 'ann' })
})

await t.test('guide handlers: strangers are 403 without a tag, whatever they send; owners get 304, 412 and the write', async (t) => {
  const { app, storage, etag } = await guideApp(t, addOffers, { title: 'a', owner: 'me' })
  const stale = { 'if-match': '"x"' }
  for (const request of ['GET /offers/1', 'HEAD /offers/1', 'PUT /offers/1', 'GET /offers/2', 'PUT /offers/2']) {
    for (const headers of [stale, { ...stale, 'x-user': 'you' }, { 'if-match': etag }, { 'if-match': '*' }]) {
      const response = await send(app, request, headers)
      t.same([response.statusCode, response.headers.etag], [403, undefined], request)
    }
  }
  const mine = { 'x-user': 'me' }
  t.equal(await statusOf(app, 'GET /offers/1', { ...mine, 'if-none-match': etag }), 304)
  for (const method of ['GET', 'PUT']) {
    const response = await send(app, `${method} /offers/1`, { ...mine, ...stale })
    t.same([response.statusCode, response.headers.etag], [412, etag], method)
  }
  t.equal(await statusOf(app, 'PUT /offers/1', { ...mine, 'if-match': etag }, { title: 'b' }), 200)
  t.same(await valueOf(storage), { title: 'b', owner: 'me' })
})

await t.test('guide handlers: a tag in the body or in another header is bound to the write', async (t) => {
  const { app, storage, etag } = await guideApp(t, addOtherTags, { title: 'a', price: 1 })
  const put = async (tag?: string) =>
    await statusOf(app, 'PUT /offers/1', {}, { offer: { title: 'b', price: 2 }, ...tag && { etag: tag } })
  t.equal(await put(), 400)
  t.equal(await put('"x"'), 412)
  t.equal(await put(etag), 200)
  t.equal(await put(etag), 412)
  const price = async (basedOn: string | undefined, price: number) =>
    await statusOf(app, 'POST /offers/1/price', {}, { basedOn, price })
  t.equal(await price(etag, 3), 409)
  t.equal(await price(await tagOf(storage), 3), 200)
  t.equal(await price(etag, 3), 200, 'it costs that already')
  t.same(await valueOf(storage), { title: 'b', price: 3 })
  t.equal(await statusOf(app, 'DELETE /offers/1'), 400)
  t.equal(await statusOf(app, 'DELETE /offers/1', { 'x-offer-version': etag }), 412)
  t.equal(await statusOf(app, 'DELETE /offers/1', { 'x-offer-version': await tagOf(storage) }), 204)
})

await t.test('guide handlers: a PATCH of two columns leaves the third, and what another client wrote to the other one', async (t) => {
  const { app, storage, etag } = await guideApp(t, addPatch, { title: 'a', price: 1, owner: 'me' })
  t.equal(await statusOf(app, 'PATCH /offers/1', { 'if-match': etag }, { price: 2, owner: 'you' }), 200)
  t.same(await valueOf(storage), { title: 'a', price: 2, owner: 'me' })
  t.equal(await statusOf(app, 'PATCH /offers/1', { 'if-match': etag }, { title: 'b' }), 412)
  t.equal(await statusOf(app, 'PATCH /offers/1', { 'if-match': '*' }, { title: 'b' }), 200)
  t.same(await valueOf(storage), { title: 'b', price: 2, owner: 'me' })
  t.equal(await statusOf(app, 'PATCH /offers/1', { 'if-match': '*' }, { price: 'b' }), 400)
})

await t.test('guide handlers: a PATCH of two columns in SQL is 412 under a stale tag, moves the tag, and leaves the third', async (t) => {
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  database.exec(`
    CREATE TABLE offers (id TEXT PRIMARY KEY, title TEXT, price INTEGER, owner TEXT, version INTEGER DEFAULT 1);
    INSERT INTO offers (id, title, price, owner) VALUES ('1', 'a', 1, 'me');
    CREATE TRIGGER offers_version AFTER UPDATE ON offers WHEN new.version = old.version BEGIN
      UPDATE offers SET version = old.version + 1 WHERE id = new.id;
    END`)
  const select = database.prepare<[string], { version: number, title: string, price: number, owner: string }>(
    'SELECT version, title, price, owner FROM offers WHERE id = ?'
  )
  const rowOf = (id: string) => select.get(id)
  const app = newApp(t)
  await app.register(ifMatch, {
    storage: transactionsAdapter({
      client: database,
      transaction: sqliteTransaction(database),
      toId: (key) => key.slice('/offers/'.length),
      version: (_tx, id) => rowOf(id)?.version,
      read (_client, id): Row<object> | undefined {
        const { version, ...value } = rowOf(id) ?? {}
        return version === undefined ? undefined : { version, value }
      }
    })
  })
  addPatchInSql(app)
  const patch = async (tag: string, body: object) => await send(app, 'PATCH /offers/1', { 'if-match': tag }, body)
  const done = await patch('"1"', { price: 2, owner: 'you' })
  t.match([done.statusCode, done.headers.etag, done.json()], [200, '"2"', { title: 'a', price: 2, owner: 'me' }])
  t.equal((await patch('"1"', { title: 'b' })).statusCode, 412)
  t.equal((await patch('*', { title: 'b' })).statusCode, 200)
  t.strictSame(rowOf('1'), { version: 3, title: 'b', price: 2, owner: 'me' })
  database.exec('DROP TRIGGER offers_version')
  t.equal((await patch('"3"', { title: 'c' })).json().code, 'FST_IF_MATCH_VERSION_UNCHANGED')
  t.equal(rowOf('1')?.title, 'b')
})

await t.test('guide existing-clients: each client is let through, warned off or refused by its date, and counted', async (t) => {
  const clients: Record<string, Client> = {
    old: { name: 'old', mayMissUntil: new Date(Date.now() + 3_600_000) },
    late: { name: 'late', mayMissUntil: new Date(0) },
    new: { name: 'new' }
  }
  const app = newApp(t)
  const storage = memoryAdapter()
  const without = await guard(app, storage, ({ headers }) => clients[String(headers['x-client'])]!)
  addOfferRoutes(app)
  const etag = await seed(storage)
  const put = async (client: string, headers = {}) =>
    await send(app, 'PUT /offers/1', { 'x-client': client, ...headers })
  t.equal((await put('old')).statusCode, 200)
  t.equal((await put('old', { 'if-match': etag })).statusCode, 412)
  t.equal((await put('old', { 'if-match': '*' })).statusCode, 200)
  const late = await put('late')
  t.match(late.json(), { code: 'FST_IF_MATCH_REQUIRED', message: /send its ETag.* no longer accepted: https:/ })
  t.equal(late.statusCode, 428)
  const fresh = await put('new')
  t.equal(fresh.statusCode, 400)
  t.notMatch(fresh.json().message, 'no longer accepted')
  t.strictSame([...without], [['old', 1], ['late', 1]])
  const current = await tagOf(storage)
  t.equal((await put('unknown')).json().code, 'FST_IF_MATCH_INVALID_OPTIONS', 'a client that is not known')
  t.equal(await tagOf(storage), current)
})
