import Database from 'better-sqlite3'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { Refused, Written } from '../../../lib/storage/adapter.js'
import { sqliteAdapter, type SqliteAdapterOptions } from '../../../lib/storage/sqlite/index.js'
import { sqliteFault } from '../../../lib/storage/statements/index.js'
import { assertDamaged } from '../../support/damaged.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { driverCases } from '../../support/sqlite/driver-cases.js'
import { FaultyHandle, fileOf, openedAdapter, sqliteError } from '../../support/sqlite/handles.js'
import { clientOf, openItems } from '../../support/sqlite/statements.js'
import { engineCases, PRODUCTS } from '../../support/statements/engine-cases.js'
import { rowVersionCases, sqliteTables } from '../../support/statements/row-versions.js'

const openFile = (file: string, readonly = false) => new Database(file, { readonly })

await driverCases(t, openFile)

const opened = async (t: Test, options?: Partial<SqliteAdapterOptions>) => await openedAdapter(t, openFile, options)

await t.test('sqlite: writes of one turn are one transaction, and no answer, a refusal neither, leaves before COMMIT returned', async (t) => {
  const { adapter, handle } = await opened(t)
  const log: string[] = []
  handle.after = (sql) => { if (/^(BEGIN|COMMIT|INSERT|DELETE)/.test(sql)) log.push(sql.split(' ', 2).join(' ')) }
  const note = async (operation: Promise<{ applied: boolean }>) => { log.push(`applied: ${(await operation).applied}`) }
  await Promise.all([
    note(adapter.write('a', 1, ABSENT)),
    note(adapter.write('b', 1, ABSENT)),
    note(adapter.write('a', 2, ABSENT)),
    note(adapter.remove('b', EXISTS))
  ])
  t.same(log, [
    'BEGIN IMMEDIATE',
    'INSERT INTO',
    'INSERT INTO',
    'DELETE FROM',
    'COMMIT',
    'applied: true',
    'applied: true',
    'applied: false',
    'applied: true'
  ])
})

await t.test('sqlite: a write that meets reads of its turn shares its commit with the writes that come behind them', async (t) => {
  const { adapter, handle } = await opened(t)
  const log: string[] = []
  handle.after = (sql) => { if (/^(BEGIN|COMMIT|INSERT)/.test(sql)) log.push(sql.split(' ', 2).join(' ')) }
  const compared = async (key: string): Promise<void> => {
    await adapter.read(key)
    await adapter.write(key, 1, ABSENT)
  }
  await Promise.all([adapter.write('a', 1, ABSENT), compared('b'), compared('c')])
  t.same(log, ['BEGIN', 'COMMIT', 'BEGIN IMMEDIATE', 'INSERT INTO', 'INSERT INTO', 'INSERT INTO', 'COMMIT'])
})

await t.test('sqlite: a write that gives way to reads can still be stopped, is not behind reads for ever, and close waits for it', async (t) => {
  const { adapter } = await opened(t)
  const stopping = new AbortController()
  const stopped = adapter.write('stopped', 1, ABSENT, { signal: stopping.signal })
  await adapter.read('any')
  stopping.abort()
  await t.rejects(stopped)
  t.equal(await adapter.read('stopped'), undefined)
  let isWritten = false
  const writing = adapter.write('a', 1, ABSENT).finally(() => { isWritten = true })
  for (let turns = 0; turns < 3; turns++) {
    void adapter.read('a')
    await turn()
  }
  t.ok(isWritten, 'although reads came in each turn')
  await writing
  let answers = 0
  for (const call of [adapter.write('b', 1, ABSENT), adapter.read('b')]) void call.then(() => { answers++ })
  await adapter.close!()
  await turn()
  t.equal(answers, 2)
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

await t.test('sqlite: a read whose caller needs no value of the version that is there does not read it', async (t) => {
  const { adapter, handle } = await opened(t)
  const { version } = await adapter.write('a', { n: 1 }, ANY) as Written
  const log: string[] = []
  handle.after = (sql) => { log.push(sql.split(' ', 2).join(' ')) }
  for (const unless of ['*', ['other', version]] as const) {
    const stored = (await adapter.read('a', { unless }))!
    t.strictSame(stored, { version, replaced: undefined, digest: undefined })
  }
  t.equal(await adapter.read('b', { unless: '*' }), undefined)
  const without = ['BEGIN', 'SELECT version,', 'COMMIT']
  t.same(log.splice(0), [...without, ...without, ...without])
  t.match(await adapter.read('a', { unless: ['other'] }), { value: { n: 1 }, json: '{"n":1}', version })
  t.same(log, ['BEGIN', 'SELECT version,', 'SELECT value,', 'COMMIT'])
})

await t.test('sqlite: a COMMIT that fails is OUTCOME_UNKNOWN, for refusals too; a full disk and a failure before COMMIT are STORAGE_UNAVAILABLE', async (t) => {
  const { adapter, handle } = await opened(t)
  const cases: Array<[string, string, string]> = [
    ['COMMIT', 'SQLITE_IOERR_FSYNC', 'FST_IF_MATCH_OUTCOME_UNKNOWN'],
    ['COMMIT', 'SQLITE_FULL', 'FST_IF_MATCH_STORAGE_UNAVAILABLE'],
    ['INSERT', 'SQLITE_IOERR_WRITE', 'FST_IF_MATCH_STORAGE_UNAVAILABLE'],
    ['BEGIN', 'SQLITE_IOERR', 'FST_IF_MATCH_STORAGE_UNAVAILABLE']
  ]
  for (const [step, fault, code] of cases) {
    handle.before = (sql) => { if (sql.startsWith(step)) throw sqliteError(fault) }
    const outcomes = await Promise.allSettled([adapter.write('a', 1, ANY), adapter.write('b', 1, EXISTS)])
    handle.before = () => {}
    t.match(outcomes, [{ reason: { code } }, { reason: { code } }], `${fault} in ${step}`)
    t.equal(await adapter.read('a'), undefined, 'rolled back')
  }
  t.match(await adapter.write('a', 1, ANY), { applied: true }, 'and it goes on')
})

await t.test('sqlite: a request that ends while its write waits for a lock is not written, and its neighbours are', async (t) => {
  const { adapter, file } = await opened(t)
  const other = new Database(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const controller = new AbortController()
  const writing = Promise.allSettled([
    adapter.write('gone', 1, ANY, { signal: controller.signal }),
    adapter.write('there', 1, ANY)
  ])
  await turn()
  controller.abort()
  other.exec('COMMIT')
  t.match(await writing, [{ status: 'rejected' }, { status: 'fulfilled' }])
  t.same((await adapter.list('')).items.map(({ key }) => key), ['there'])
})

await t.test('sqlite: a transaction that the app left open is an outage; nothing is written into it, and it stays the app\'s to end', async (t) => {
  const { adapter, database, file } = await opened(t)
  database.exec('CREATE TABLE things (id INTEGER)')
  const other = connect(t, file)
  for (const state of ['open', 'closed']) {
    if (state === 'closed') await adapter.close!()
    database.exec('BEGIN; INSERT INTO things VALUES (1)')
    await t.rejects(adapter.write('a', 1, ANY), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    await t.rejects(adapter.read('a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
    t.ok(database.inTransaction, `the adapter is ${state}`)
    database.exec('COMMIT')
  }
  t.equal(other.prepare('SELECT 1 FROM entities').get(), undefined)
  t.equal(other.prepare('SELECT count(*) FROM things').pluck().get(), 2)
})

await t.test('sqlite: a damaged value is a fault of the storage where it is asked for, and nowhere else, and its content is in no error', async (t) => {
  const { adapter, database } = await opened(t)
  await adapter.write('a', 1, ANY)
  database.exec("UPDATE entities SET value = 'a secret'")
  const [refused, other] = await Promise.all([adapter.write('a', 2, ABSENT), adapter.write('b', 1, ANY)])
  const [damaged, sound, { items }] = await Promise.all([
    adapter.read('a'),
    adapter.read('b'),
    adapter.list('')
  ])
  t.match([refused, other, sound], [{ applied: false }, { applied: true }, { value: 1 }])
  t.match(await adapter.read('a', { unless: '*' }), { version: damaged!.version })
  for (const stored of [damaged!, (refused as Refused).current!, items[0]!]) {
    assertDamaged(t, stored, /not JSON/)
    t.equal(stored.version, damaged!.version)
  }
  t.match(await adapter.write('a', 2, versionIn(damaged!.version)), { applied: true })
  t.equal((await adapter.read('a'))?.value, 2)
})

await t.test('sqlite: a page that cannot be read fails the reads that need it, each with its own error, and no other read of the turn', async (t) => {
  const { adapter, handle } = await opened(t)
  for (const key of ['a', 'b', 'c']) await adapter.write(key, key, ANY)
  let selects = 0
  handle.before = (sql) => { if (sql.startsWith('SELECT') && ++selects < 3) throw sqliteError('SQLITE_CORRUPT') }
  const [a, b, c] = await Promise.allSettled(['a', 'b', 'c'].map((key) => adapter.read(key)))
  const damaged = {
    status: 'rejected',
    reason: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /damaged/ } }
  }
  t.match([a, b, c], [damaged, damaged, { value: { value: 'c' } }])
  t.not((a as PromiseRejectedResult).reason, (b as PromiseRejectedResult).reason)
})

await t.test('sqlite: if a lock is met between the reads of a turn, the adapter waits for it and runs all of them again', async (t) => {
  const { adapter, handle } = await opened(t)
  for (const key of ['a', 'b']) await adapter.write(key, key, ANY)
  let selects = 0
  handle.before = (sql) => { if (sql.startsWith('SELECT') && ++selects === 2) throw sqliteError('SQLITE_BUSY') }
  t.match(await Promise.all(['a', 'b'].map((key) => adapter.read(key))), [{ value: 'a' }, { value: 'b' }])
  t.equal(selects, 4)
})

await t.test('sqlite: a read that waits too long for a lock is an outage, and no absence', async (t) => {
  const { adapter, handle } = await opened(t, { lockTimeout: 0 })
  handle.before = () => { throw sqliteError('SQLITE_BUSY') }
  await t.rejects(adapter.read('a'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /holds the lock/ } })
})

await t.test('sqlite: the boot waits for a lock, also in its last step', async (t) => {
  const handle = new FaultyHandle(connect(t, fileOf(t)))
  let refusals = 3
  handle.before = (sql) => {
    if (sql.startsWith('prepare INSERT') && refusals-- > 0) throw sqliteError('SQLITE_BUSY_RECOVERY')
  }
  const adapter = sqliteAdapter({ database: handle })
  await adapter.open!()
  t.match(await adapter.write('a', 1, ANY), { applied: true })
})

await t.test('sqlite: with a file that is refused the boot fails, and says why', async (t) => {
  await t.rejects(sqliteAdapter({ database: connect(t, ':memory:') }).open!(), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /write-ahead log/
  })
})

await t.test('sqlite: wrong options are refused, naming the option', async (t) => {
  const database = new Database(':memory:')
  t.teardown(() => database.close())
  const wrong: Array<[object, RegExp]> = [
    [{}, /"database"/],
    [{ database: {} }, /"database"/],
    [{ database, table: '' }, /"table"/],
    [{ database, table: 'a\0' }, /"table"/],
    [{ database, synchronous: 'OFF' }, /"synchronous"/],
    [{ database, lockTimeout: -1 }, /"lockTimeout"/],
    [{ database, lockTimeout: '5' }, /"lockTimeout"/],
    [{ database, lock_timeout: 5 }, /no option "lock_timeout"\. Did you mean "lockTimeout"/],
    [database, /"database"/]
  ]
  for (const [options, message] of [...wrong, [undefined, /"database"/]] as const) {
    const refused = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message }
    t.throws(() => sqliteAdapter(options as SqliteAdapterOptions), refused)
  }
})

function connect (t: Test, file: string, options?: Database.Options): Database.Database {
  const database = new Database(file, options)
  t.teardown(() => database.close())
  return database
}

await t.test('sqlite: a boot that fails half way leaves no table behind, and no transaction', async (t) => {
  const handle = new FaultyHandle(connect(t, fileOf(t)))
  handle.before = (sql) => { if (sql.startsWith('PRAGMA application_id =')) throw sqliteError('SQLITE_FULL') }
  await t.rejects(sqliteAdapter({ database: handle }).open!(), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /disk is full/
  })
  handle.before = () => {}
  t.equal(handle.prepare('SELECT 1 FROM sqlite_master').get(), undefined)
  handle.exec('BEGIN')
})

await t.test('sqlite: a constraint of the app on the table is 409 and fails alone; a table that is gone is a fault of the server, and no outage', async (t) => {
  const { adapter, database } = await opened(t)
  database.exec("CREATE UNIQUE INDEX title ON entities (json_extract(value, '$.title'))")
  await adapter.write('k', { title: 'a secret' }, ABSENT)
  const [taken, free] = await Promise.allSettled([
    adapter.write('l', { title: 'a secret' }, ABSENT),
    adapter.write('m', { title: 'free' }, ABSENT)
  ])
  t.match(taken, { reason: { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409 } })
  const { reason } = taken as { reason: Error }
  t.match(inspect(reason.cause), /index 'title'/)
  t.notMatch(inspect(reason, { depth: 9 }), /secret/)
  t.match(free, { value: { applied: true } })

  database.exec('ALTER TABLE entities RENAME TO things')
  const fault = {
    reason: { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, cause: { message: /no such table: .*entities/ } }
  }
  const outcomes = await Promise.allSettled([
    adapter.write('k', 1, ANY), adapter.remove('k', EXISTS), adapter.read('k'), adapter.list('')
  ])
  t.match(outcomes, [fault, fault, fault, fault])
})

await engineCases(t, 'sqlite: statements', async (t) => {
  const file = fileOf(t)
  const [database, other] = [openFile(file), openFile(file)]
  t.teardown(() => {
    database.close()
    other.close()
  })
  other.exec(PRODUCTS)
  return {
    client: clientOf(database),
    act: async (sql) => other.exec(sql),
    faultOf: sqliteFault
  }
})

// The other table is tested among the attacks.
const MARKED = 'a counter behind a mark of the creation'
await rowVersionCases(t, `sqlite: statements, versions by ${MARKED}`, sqliteTables(sqliteFault)[MARKED]!, openItems)
