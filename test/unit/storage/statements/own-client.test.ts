import { EventEmitter } from 'node:events'
import Database from 'better-sqlite3'
import t from 'tap'
import { flawsOfClient, isHandle, ownClientOf } from '../../../../lib/storage/statements/own-client.js'

const OPEN = { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /inside a transaction of the app/ } }

await t.test('a client that somebody left in a transaction gets no statement: a handle of SQLite, a connection of pg, behind Drizzle, too', async (t) => {
  const database = new Database(':memory:')
  const status = { now: 'I' }
  const connection = { getTransactionStatus: () => status.now }
  const native = { isTransaction: false }
  const set = (isOpen: boolean): void => {
    database.exec(isOpen ? 'BEGIN' : 'ROLLBACK')
    status.now = isOpen ? 'E' : 'I'
    native.isTransaction = isOpen
  }
  for (const client of [database, connection, native, { $client: database }, { $client: connection }]) {
    const send = ownClientOf<object>(client)
    t.equal(await send((given) => given), client)
    set(true)
    await t.rejects(send(() => t.fail('it is sent')), OPEN)
    set(false)
    t.equal(await send(async () => 'done'), 'done')
  }
  const send = ownClientOf<object>(connection)
  await t.rejects(send(() => { status.now = 'T' }), /part of a transaction/)
  database.close()
})

await t.test('a client of a context is refused if it is none, or certainly in no transaction', async (t) => {
  const isFlawed = (client: unknown): boolean => flawsOfClient(client).some(([isFlawed]) => isFlawed)
  const database = new Database(':memory:')
  const idle = [database, { isTransaction: false }, { getTransactionStatus: () => 'I' }]
  for (const client of [undefined, null, Promise.resolve(), ...idle]) t.ok(isFlawed(client), String(client))
  database.exec('BEGIN')
  for (const client of [database, { isTransaction: true }, { getTransactionStatus: () => 'T' }, {}]) {
    t.notOk(isFlawed(client))
  }
  database.close()
})

await t.test('a pool of pg is as it was, but for its query: that takes idle connections, unless it has a callback', async (t) => {
  const sent: unknown[][] = []
  const statuses: string[] = []
  const connection = Object.assign(new EventEmitter(), {
    getTransactionStatus: () => statuses.shift() ?? 'I',
    async query (...args: unknown[]) { return args },
    release () {}
  })
  const pool = {
    totalCount: 1,
    idleCount: 7,
    connect: async () => connection,
    query (...args: unknown[]) { sent.push(args) },
    waiting () { return this.idleCount }
  }
  const send = ownClientOf(pool)
  t.strictSame(await send((client) => client.query('SELECT 1', [])), ['SELECT 1', []])
  t.strictSame(sent, [])
  const callback = (): void => {}
  await send((client) => { client.query('SELECT 1', callback) })
  t.strictSame(sent, [['SELECT 1', callback]])
  t.strictSame(await send((client) => [client.idleCount, client.waiting()]), [7, 7])
  statuses.push('I', 'T')
  await t.rejects(send((client) => client.query('SELECT 1')), /part of a transaction/)
})

await t.test('what uses a handle of SQLite shares its transaction: the handle itself, or an ORM that shows it', (t) => {
  const database = new Database(':memory:')
  const native = { isTransaction: false, prepare () {} }
  for (const client of [database, { $client: database }, native]) t.equal(isHandle(client), true)
  // The last one is as Kysely.
  for (const client of [undefined, {}, new EventEmitter(), { $client: {} }, { isTransaction: false }]) {
    t.equal(isHandle(client), false)
  }
  database.close()
  t.end()
})
