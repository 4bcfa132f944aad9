import Database from 'better-sqlite3'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { prepareFile, rollBack } from '../../../../lib/storage/sqlite/file.js'
import { FaultyHandle, fileOf, TABLE } from '../../../support/sqlite/handles.js'

function open (t: Test, file: string, options?: Database.Options): Database.Database {
  const database = new Database(file, options)
  t.teardown(() => database.close())
  return database
}

await t.test('sqlite: a new file gets a write-ahead log, FULL commits, a short busy_timeout and a rowid table', async (t) => {
  const database = open(t, fileOf(t))
  prepareFile(database, 'entities', 'FULL')
  t.equal(database.pragma('journal_mode', { simple: true }), 'wal')
  t.equal(database.pragma('synchronous', { simple: true }), 2)
  t.equal(database.pragma('fullfsync', { simple: true }), 1, 'where fsync stops ahead of the disk, it goes further')
  t.ok(database.pragma('busy_timeout', { simple: true }) as number <= 5)
  t.equal(
    database.prepare('SELECT sql FROM sqlite_master WHERE type = ?').pluck().get('table'),
    TABLE.replace('entities', '"entities"')
  )
  prepareFile(database, 'entities', 'NORMAL')
  t.equal(database.pragma('synchronous', { simple: true }), 1, 'again, and NORMAL if so asked')
  prepareFile(database, 'a "second" table', 'FULL')
  t.equal(
    database.prepare('SELECT count(*) FROM sqlite_master WHERE type = ?').pluck().get('table'),
    2,
    'a marked file takes a second table'
  )
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

await t.test('sqlite: a table that would take two keys for one, change what it stores or refuse every row is refused', async (t) => {
  const rest = 'version TEXT NOT NULL, replaced TEXT, digest TEXT, value TEXT NOT NULL'
  const prepared = (columns: string) => {
    const database = open(t, fileOf(t))
    database.exec(`CREATE TABLE entities (${columns})`)
    prepareFile(database, 'entities', 'FULL')
  }
  const cases: Array<[string, string]> = [
    [`key TEXT NOT NULL, ${rest}`, 'a key may be there twice'],
    [`key TEXT NOT NULL, ${rest}, UNIQUE (key, version)`, 'with another version, too'],
    [`key TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, ${rest}`, 'Offer and offer would be one entity'],
    [`key NUMERIC NOT NULL PRIMARY KEY, ${rest}`, '1 and 01 would be one entity'],
    [`key CHARINT NOT NULL PRIMARY KEY, ${rest}`, 'what has INT in its type is a number'],
    [
      'key TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, replaced TEXT, digest TEXT, value JSON NOT NULL',
      'SQLite would make numbers of texts'
    ],
    [`key TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, ${rest}`, 'a further column that nobody fills']
  ]
  const refused = { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /of another shape/ }
  for (const [columns, why] of cases) t.throws(() => prepared(columns), refused, why)
  prepared(`id INTEGER NOT NULL PRIMARY KEY, key VARCHAR(1024) UNIQUE, owner TEXT NOT NULL DEFAULT 'nobody', ${rest}`)
})

await t.test('sqlite: a table of an application may lie in the index of its keys', async (t) => {
  const database = open(t, fileOf(t))
  database.exec(`${TABLE} WITHOUT ROWID, STRICT`)
  prepareFile(database, 'entities', 'FULL')
})

await t.test('sqlite: a database in memory is refused: it keeps nothing', async (t) => {
  t.throws(() => prepareFile(open(t, ':memory:'), 'entities', 'FULL'), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /write-ahead log/
  })
})

await t.test('sqlite: a handle that does not accept its PRAGMA synchronous is refused', async (t) => {
  const handle = new FaultyHandle(open(t, fileOf(t)))
  handle.after = (sql) => { if (sql.startsWith('PRAGMA synchronous =')) handle.exec('PRAGMA main.synchronous=OFF') }
  t.throws(() => prepareFile(handle, 'entities', 'FULL'), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /as durable/
  })
})

await t.test('sqlite: rolling back is no error if SQLite rolled back already', async (t) => {
  const database = open(t, fileOf(t))
  database.exec('BEGIN')
  rollBack(database)
  t.notOk(database.inTransaction)
  rollBack(database)
})

await t.test('sqlite: a table that cannot be made leaves no transaction behind', async (t) => {
  const handle = new FaultyHandle(open(t, fileOf(t)))
  handle.before = (sql) => { if (sql.startsWith('PRAGMA application_id =')) throw new Error('fails') }
  t.throws(() => prepareFile(handle, 'entities', 'FULL'), { message: 'fails' })
  handle.before = () => {}
  prepareFile(handle, 'entities', 'FULL')
})

await t.test('sqlite: a handle that gives rows as arrays is refused, since every entity would look absent in them', async (t) => {
  const database = open(t, fileOf(t))
  const handle = {
    prepare (sql: string) {
      const statement = database.prepare(sql)
      return statement.reader ? statement.raw() : statement
    },
    exec: (sql: string) => database.exec(sql)
  }
  t.throws(() => prepareFile(handle, 'entities', 'FULL'), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /rows as arrays/
  })
})
