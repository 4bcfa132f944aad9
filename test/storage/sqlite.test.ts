import Database from 'better-sqlite3'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { sqliteAdapter, type SqliteAdapterOptions } from '../../lib/storage/sqlite.js'
import { FaultyHandle, fileOf, sqliteError, temporaryFile } from './sqlite-handles.js'

await conformanceSuite({
  test: (title, run) => t.test(title, run),
  async createAdapter () {
    const { file, remove } = temporaryFile()
    const handles: FaultyHandle[] = []
    const connect = () => {
      const handle = new FaultyHandle(new Database(file))
      handles.push(handle)
      return sqliteAdapter({ database: handle })
    }
    return {
      adapter: connect(),
      another: async () => connect(),
      async cut () {
        for (const handle of handles) handle.isCut = true
        return async () => { for (const handle of handles) handle.isCut = false }
      },
      async close () {
        for (const handle of handles) handle.close()
        remove()
      }
    }
  }
})

/** An open adapter on a file of its own, on a handle that fails where the test says so. */
async function opened (t: Test, options: Partial<SqliteAdapterOptions> = {}) {
  const file = fileOf(t)
  const database = new Database(file)
  const handle = new FaultyHandle(database)
  const adapter = sqliteAdapter({ database: handle, ...options })
  await adapter.open!()
  t.teardown(() => handle.close())
  return { adapter, handle, database, file }
}

const ANY = { kind: 'any' } as const

await t.test('sqlite: synchronous is 2 on the connection that writes, and 1 with NORMAL', async (t) => {
  t.equal((await opened(t)).database.pragma('synchronous', { simple: true }), 2)
  t.equal((await opened(t, { synchronous: 'NORMAL' })).database.pragma('synchronous', { simple: true }), 1)
})

await t.test('sqlite: writes of one turn are one transaction, and no answer, a refusal neither, leaves before COMMIT returned (E12, E15)', async (t) => {
  const { adapter, handle } = await opened(t)
  const log: string[] = []
  handle.after = (sql) => { if (/^(BEGIN|COMMIT|INSERT|DELETE)/.test(sql)) log.push(sql.split(' ', 2).join(' ')) }
  const note = async (operation: Promise<{ applied: boolean }>) => { log.push(`applied: ${(await operation).applied}`) }
  await Promise.all([
    note(adapter.write('a', 1, { kind: 'absent' })),
    note(adapter.write('b', 1, { kind: 'absent' })),
    note(adapter.write('a', 2, { kind: 'absent' })),
    note(adapter.remove('b', { kind: 'exists' }))
  ])
  t.same(log, ['BEGIN IMMEDIATE', 'INSERT INTO', 'INSERT INTO', 'DELETE FROM', 'COMMIT', 'applied: true', 'applied: true', 'applied: false', 'applied: true'])
})

await t.test('sqlite: reads of one turn are one transaction, which sees one state of the file', async (t) => {
  const { adapter, handle, file } = await opened(t)
  const other = connect(t, file)
  for (const key of ['a', 'b']) await adapter.write(key, 1, ANY)
  const log: string[] = []
  handle.after = (sql) => {
    log.push(sql.split(' ', 2).join(' '))
    // Another process writes in between.
    if (log.length === 2) other.exec("UPDATE entities SET value = '2'")
  }
  const read = await Promise.all([adapter.read('a'), adapter.read('b'), adapter.list('')])
  t.same(log, ['BEGIN', 'SELECT value,', 'SELECT value,', 'SELECT key,', 'COMMIT'])
  t.match(read, [{ value: 1 }, { value: 1 }, { items: [{ value: 1 }, { value: 1 }] }])
  t.match(await adapter.read('a'), { value: 2 })
})

await t.test('sqlite: a row that the table refuses fails alone, with 422, and its batch is stored', async (t) => {
  const { adapter, database } = await opened(t)
  database.exec("CREATE TRIGGER refuse BEFORE INSERT ON entities WHEN new.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END")
  const [a, bad, b] = await Promise.allSettled(['a', 'bad', 'b'].map((key) => adapter.write(key, key, ANY)))
  t.match([a, b], [{ status: 'fulfilled' }, { status: 'fulfilled' }])
  t.match(bad, { reason: { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422 } })
  t.same((await adapter.list('')).items.map(({ key }) => key), ['a', 'b'])
})

await t.test('sqlite: a full disk is STORAGE_UNAVAILABLE for the whole batch, and nothing of it is there (E16)', async (t) => {
  const { adapter, database } = await opened(t)
  await adapter.write('before', 1, ANY)
  database.pragma(`max_page_count = ${database.pragma('page_count', { simple: true })}`)
  const outcomes = await Promise.allSettled([adapter.write('small', 1, ANY), adapter.write('large', 'x'.repeat(100_000), ANY)])
  for (const outcome of outcomes) t.match(outcome, { reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /disk is full/ } } })
  t.same((await adapter.list('')).items.map(({ key }) => key), ['before'])
  database.pragma('max_page_count = 100000')
  t.match(await adapter.write('large', 'x'.repeat(100_000), ANY), { applied: true }, 'and it goes on when there is room')
})

await t.test('sqlite: a COMMIT that fails is OUTCOME_UNKNOWN, for refusals too; full or before COMMIT it is STORAGE_UNAVAILABLE (E16)', async (t) => {
  const { adapter, handle } = await opened(t)
  const cases: Array<[string, string, string]> = [
    ['COMMIT', 'SQLITE_IOERR_FSYNC', 'FST_IF_MATCH_OUTCOME_UNKNOWN'],
    ['COMMIT', 'SQLITE_FULL', 'FST_IF_MATCH_STORAGE_UNAVAILABLE'],
    ['INSERT', 'SQLITE_IOERR_WRITE', 'FST_IF_MATCH_STORAGE_UNAVAILABLE'],
    ['BEGIN', 'SQLITE_IOERR', 'FST_IF_MATCH_STORAGE_UNAVAILABLE']
  ]
  for (const [step, fault, code] of cases) {
    handle.before = (sql) => { if (sql.startsWith(step)) throw sqliteError(fault) }
    const outcomes = await Promise.allSettled([adapter.write('a', 1, ANY), adapter.write('b', 1, { kind: 'exists' })])
    handle.before = () => {}
    t.match(outcomes, [{ reason: { code } }, { reason: { code } }], `${fault} in ${step}`)
    t.equal(await adapter.read('a'), undefined, 'rolled back')
  }
  t.match(await adapter.write('a', 1, ANY), { applied: true }, 'and it goes on')
})

await t.test('sqlite: a lock that another process holds is waited for while the event loop runs, and then STORAGE_UNAVAILABLE, never a refusal (E14)', async (t) => {
  const { adapter, file } = await opened(t, { lockTimeout: 150 })
  const other = new Database(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  let turns = 0
  const counting = setInterval(() => { turns++ }, 1)
  await t.rejects(adapter.write('a', 1, { kind: 'absent' }), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /holds the lock/ } })
  clearInterval(counting)
  t.ok(turns > 3, 'the event loop went on')
  t.equal(await adapter.read('a'), undefined, 'reads need no lock')
  const writing = adapter.write('a', 2, { kind: 'absent' })
  await turn()
  other.exec('COMMIT')
  t.match(await writing, { applied: true })
})

await t.test('sqlite: a request that ends while its write waits for a lock is not written, and its neighbours are', async (t) => {
  const { adapter, file } = await opened(t)
  const other = new Database(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const controller = new AbortController()
  const writing = Promise.allSettled([adapter.write('gone', 1, ANY, { signal: controller.signal }), adapter.write('there', 1, ANY)])
  await turn()
  controller.abort()
  other.exec('COMMIT')
  t.match(await writing, [{ status: 'rejected' }, { status: 'fulfilled' }])
  t.same((await adapter.list('')).items.map(({ key }) => key), ['there'])
})

await t.test('sqlite: a handle that is closed or was never opened rejects and says so; close waits for what is under way', async (t) => {
  const { adapter, handle } = await opened(t)
  const writing = adapter.write('a', 1, ANY)
  await adapter.close!()
  t.match(await writing, { applied: true })
  const calls: Array<() => Promise<unknown>> = [() => adapter.read('a'), () => adapter.write('a', 2, ANY), () => adapter.list('')]
  for (const call of calls) {
    await t.rejects(call(), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /before open\(\) or after close\(\)/ } })
  }
  await adapter.open!()
  t.equal((await adapter.read('a'))?.value, 1)
  handle.close()
  await t.rejects(adapter.read('a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /handle is closed/ } })
  await t.rejects(adapter.write('a', 2, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /handle is closed/ } })
})

await t.test('sqlite: a transaction that the app left open is an outage, and nothing is written into it (E13)', async (t) => {
  const { adapter, database, file } = await opened(t)
  database.exec('BEGIN')
  await t.rejects(adapter.write('a', 1, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /transaction within a transaction/ } })
  await t.rejects(adapter.read('a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  t.equal(connect(t, file).prepare('SELECT 1 FROM entities').get(), undefined)
  t.equal(database.inTransaction, true, 'it is not ours to end')
})

await t.test('sqlite: a damaged value is an outage for whoever asks for it alone, and its content is in no error (E28)', async (t) => {
  const { adapter, database } = await opened(t)
  await adapter.write('a', 1, ANY)
  database.exec("UPDATE entities SET value = 'a secret'")
  const outcomes = await Promise.allSettled([adapter.write('a', 2, { kind: 'absent' }), adapter.write('b', 1, ANY), adapter.read('a'), adapter.read('b')])
  const damaged = { status: 'rejected', reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' } }
  t.match(outcomes, [damaged, { value: { applied: true } }, damaged, { value: { value: 1 } }])
  const error = await adapter.read('a').then(() => undefined, (error: Error) => error)
  t.match(error, { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /not JSON/ } })
  t.notMatch(inspect(error, { depth: 9 }), /secret/)
})

await t.test('sqlite: a read that meets a lock for too long is an outage, and no absence', async (t) => {
  const { adapter, handle } = await opened(t, { lockTimeout: 0 })
  handle.before = () => { throw sqliteError('SQLITE_BUSY') }
  await t.rejects(adapter.read('a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /holds the lock/ } })
})

await t.test('sqlite: a file that is refused does not boot, and says why', async (t) => {
  await t.rejects(sqliteAdapter({ database: connect(t, ':memory:') }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /write-ahead log/ })
})

await t.test('sqlite: wrong options are refused, naming the option', async (t) => {
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  const wrong: Array<[object, RegExp]> = [
    [{}, /"database"/], [{ database: {} }, /"database"/], [{ database, table: '' }, /"table"/], [{ database, table: 'a\0' }, /"table"/],
    [{ database, synchronous: 'OFF' }, /"synchronous"/], [{ database, lockTimeout: -1 }, /"lockTimeout"/], [{ database, lockTimeout: '5' }, /"lockTimeout"/]
  ]
  for (const [options, message] of wrong) t.throws(() => sqliteAdapter(options as SqliteAdapterOptions), { code: 'FST_IF_MATCH_INVALID_OPTIONS', message })
})

const TABLE = 'CREATE TABLE entities (key TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, replaced TEXT, digest TEXT, value TEXT NOT NULL)'

function connect (t: Test, file: string, options?: Database.Options): Database.Database {
  const database = new Database(file, options)
  t.teardown(() => database.close())
  return database
}

await t.test('sqlite: a boot that fails half way leaves no table behind, and no transaction', async (t) => {
  const handle = new FaultyHandle(connect(t, fileOf(t)))
  handle.before = (sql) => { if (sql.startsWith('PRAGMA application_id =')) throw sqliteError('SQLITE_FULL') }
  await t.rejects(sqliteAdapter({ database: handle }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /disk is full/ })
  handle.before = () => {}
  t.equal(handle.prepare('SELECT 1 FROM sqlite_master').get(), undefined)
  handle.exec('BEGIN')
})

await t.test('sqlite: what is no database, is damaged, cannot be written or is closed does not boot, and says why', async (t) => {
  const text = fileOf(t)
  writeFileSync(text, 'Dear diary, '.repeat(100))
  const damaged = fileOf(t)
  new Database(damaged).exec(TABLE).close()
  writeFileSync(damaged, readFileSync(damaged).fill(0xff, 100))
  const readonly = fileOf(t)
  new Database(readonly).exec(`PRAGMA journal_mode = WAL; ${TABLE}`).close()
  chmodSync(readonly, 0o444)
  const closed = connect(t, fileOf(t))
  closed.close()
  const cases: Array<[Database.Database, RegExp]> = [
    [connect(t, text), /is not an SQLite database/],
    [connect(t, damaged), /damaged/],
    [connect(t, readonly, { readonly: true }), /cannot be written/],
    [closed, /handle is closed/]
  ]
  for (const [database, message] of cases) await t.rejects(sqliteAdapter({ database }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }, String(message))
  t.ok(readFileSync(text, 'utf8').startsWith('Dear diary'))
})
