import Database from 'better-sqlite3'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { prepareFile, rollBack } from '../../lib/storage/sqlite-file.js'
import { sqliteAdapter } from '../../lib/storage/sqlite.js'
import { FaultyHandle, fileOf, sqliteError } from './sqlite-handles.js'

const TABLE = 'CREATE TABLE entities (key TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, replaced TEXT, digest TEXT, value TEXT NOT NULL)'

function open (t: Test, file: string, options?: Database.Options): Database.Database {
  const database = new Database(file, options)
  t.teardown(() => database.close())
  return database
}

await t.test('sqlite: a new file gets a write-ahead log, FULL commits, a short busy_timeout and a rowid table (E10, E14)', async (t) => {
  const database = open(t, fileOf(t))
  prepareFile(database, 'entities', 'FULL')
  t.equal(database.pragma('journal_mode', { simple: true }), 'wal')
  t.equal(database.pragma('synchronous', { simple: true }), 2)
  t.ok(database.pragma('busy_timeout', { simple: true }) as number <= 5)
  t.equal(database.prepare('SELECT sql FROM sqlite_master WHERE type = ?').pluck().get('table'), TABLE.replace('entities', '"entities"'))
  prepareFile(database, 'entities', 'NORMAL')
  t.equal(database.pragma('synchronous', { simple: true }), 1, 'again, and NORMAL if so asked')
  prepareFile(database, 'a "second" table', 'FULL')
  t.equal(database.prepare('SELECT count(*) FROM sqlite_master WHERE type = ?').pluck().get('table'), 2, 'a marked file takes a second table')
})

await t.test('sqlite: a file of another application is refused, and stays as it is', async (t) => {
  const cases: Array<[string, RegExp]> = [
    ['CREATE TABLE things (id INTEGER)', /belongs to another application/],
    ['PRAGMA application_id = 1196444487', /belongs to another application/],
    ['CREATE TABLE entities (id INTEGER PRIMARY KEY, name TEXT)', /of another shape/],
    ["PRAGMA encoding = 'UTF-16'; " + TABLE, /encoding/]
  ]
  for (const [sql, message] of cases) {
    const file = fileOf(t)
    const database = open(t, file)
    database.exec(sql)
    const before = readFileSync(file)
    t.throws(() => prepareFile(database, 'entities', 'FULL'), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }, sql)
    t.ok(before.equals(readFileSync(file)), 'not a byte changed')
  }
})

await t.test('sqlite: a table that an application made in its own file is used', async (t) => {
  const database = open(t, fileOf(t))
  database.exec(`CREATE TABLE things (id INTEGER); ${TABLE}`)
  prepareFile(database, 'entities', 'FULL')
  t.equal(database.pragma('application_id', { simple: true }), 0, 'and the file stays theirs')
})

await t.test('sqlite: a database in memory is refused, since it can promise nothing', async (t) => {
  t.throws(() => prepareFile(open(t, ':memory:'), 'entities', 'FULL'), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /write-ahead log/ })
})

await t.test('sqlite: a handle that does not commit as hard as it was told is refused', async (t) => {
  const handle = new FaultyHandle(open(t, fileOf(t)))
  handle.after = (sql) => { if (sql.startsWith('PRAGMA synchronous =')) handle.exec('PRAGMA main.synchronous=OFF') }
  t.throws(() => prepareFile(handle, 'entities', 'FULL'), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /as durable/ })
})

await t.test('sqlite: a boot that fails half way leaves no table behind, and no transaction', async (t) => {
  const handle = new FaultyHandle(open(t, fileOf(t)))
  handle.before = (sql) => { if (sql.startsWith('PRAGMA application_id =')) throw sqliteError('SQLITE_FULL') }
  await t.rejects(sqliteAdapter({ database: handle }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /disk is full/ })
  handle.before = () => {}
  t.equal(handle.prepare('SELECT 1 FROM sqlite_master').get(), undefined)
  handle.exec('BEGIN')
  rollBack(handle)
  rollBack(handle)
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
  const closed = open(t, fileOf(t))
  closed.close()
  const cases: Array<[Database.Database, RegExp]> = [
    [open(t, text), /is not an SQLite database/],
    [open(t, damaged), /damaged/],
    [open(t, readonly, { readonly: true }), /cannot be written/],
    [closed, /handle is closed/]
  ]
  for (const [database, message] of cases) await t.rejects(sqliteAdapter({ database }).open!(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }, String(message))
  t.ok(readFileSync(text, 'utf8').startsWith('Dear diary'))
})
