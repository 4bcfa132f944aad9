import { Type, type TSchema } from '@sinclair/typebox'
import type { Test } from 'tap'
import { tableAdapter } from '../../../lib/storage/table/index.js'
import { ABSENT, ANY, versionIn } from '../expectations.js'
import { FaultyHandle, fileOf, type OpenFile } from '../sqlite/handles.js'
import { tableCases } from './cases.js'
import { conformance, type ConformanceTable } from './conformance.js'
import type { TableEngine } from './engine.js'

/** The conformance suite and the cases of tables on SQLite, with one driver; with `more`, the suite alone. */
export async function sqliteCases (t: Test, name: string, open: OpenFile, more?: ConformanceTable): Promise<void> {
  const file = fileOf(t)
  const opened = (): FaultyHandle => {
    const database = open(file)
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = OFF')
    t.teardown(() => database.close())
    return new FaultyHandle(database)
  }
  const [client, other, past] = [opened(), opened(), opened()]
  const engine: TableEngine = {
    dialect: 'sqlite',
    client,
    other,
    run: async (sql) => past.exec(sql),
    rows: async (sql) => past.prepare(sql).all().map((row) => ({ ...row as object })),
    async rolledBack (steps) {
      const tx = open(file)
      tx.exec('BEGIN IMMEDIATE')
      await steps(tx)
      tx.exec('ROLLBACK')
      tx.close()
    }
  }
  const setCut = (isCut: boolean): void => { for (const handle of [client, other]) handle.isCut = isCut }
  const cut = async () => {
    setCut(true)
    return async () => setCut(false)
  }
  await conformance(t, engine, cut, more)
  if (more !== undefined) return
  await tableCases(t, name, engine)
  await sqliteTraps(t, open)
}

/** What is special about tables of SQLite. */
export async function sqliteTraps (t: Test, open: OpenFile): Promise<void> {
  const columns = Type.Object({ title: Type.String() })
  const opened = (t: Test) => {
    const database = open(fileOf(t))
    t.teardown(() => database.close())
    return database
  }

  await t.test('sqlite: the boot refuses an id that compares loosely, and a column that makes numbers of texts', async (t) => {
    const database = opened(t)
    const wrong: Array<[id: string, title: string, schema: TSchema, message: RegExp]> = [
      ['id text COLLATE NOCASE PRIMARY KEY', 'text', Type.String(), /id, text, cannot be the id/i],
      ['id text COLLATE RTRIM PRIMARY KEY', 'text', Type.String(), /id, text, cannot be the id/i],
      ['id PRIMARY KEY', 'text', Type.String(), /id, without a type, cannot be the id/i],
      ['id text', 'text', Type.String(), /no primary key/],
      ['id text PRIMARY KEY', 'date', Type.String(), /title, date/i],
      ['id text PRIMARY KEY', 'real', Type.Unknown(), /title, real/i],
      ['id text PRIMARY KEY', 'varchar(9)', Type.Integer(), /title, varchar/i],
      ['id text PRIMARY KEY', 'text', Type.Boolean(), /title, text/i]
    ]
    const fine: typeof wrong = [
      ['id text PRIMARY KEY', '', Type.String(), /^$/], ['id text UNIQUE', 'clob', Type.Unknown(), /^$/],
      ['id text PRIMARY KEY', '', Type.Integer(), /^$/], ['id text PRIMARY KEY', 'float', Type.Number(), /^$/]
    ]
    for (const [index, [id, title, schema, message]] of [...wrong, ...fine].entries()) {
      database.exec(`CREATE TABLE t${index} (${id}, v text NOT NULL, title ${title})`)
      database.exec(`CREATE UNIQUE INDEX part${index} ON t${index} (id) WHERE title IS NOT NULL`)
      database.exec(`CREATE UNIQUE INDEX lower${index} ON t${index} (lower(id))`)
      const columns = Type.Object({ title: schema })
      const boot = tableAdapter({ client: database, table: `t${index}`, id: 'id', version: 'v', columns }).open()
      if (index < wrong.length) await t.rejects(boot, { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }, title)
      else await boot
    }
  })

  await t.test('sqlite: a table of an attached file; whole numbers in a column without a type; rows without a number', async (t) => {
    const database = opened(t)
    database.exec(`ATTACH '${fileOf(t)}' AS shop`)
    database.exec('CREATE TABLE shop.offers (id integer, title, other text, PRIMARY KEY (id)) WITHOUT ROWID')
    database.exec('CREATE TABLE shop.parts (offer integer, n integer)')
    const adapter = tableAdapter({
      client: database,
      table: 'shop.offers',
      id: 'id',
      version: 'v',
      columns: Type.Object({ id: Type.Integer(), title: Type.Integer() })
    })
    for (const sql of adapter.migration({ children: [{ table: 'parts', references: 'offer' }] })) database.exec(sql)
    await adapter.open()
    await adapter.write('/offers/1', { title: 5 } as never, ABSENT)
    const first = await adapter.read('/offers/1')
    t.strictSame(first?.value, { id: 1, title: 5 })
    t.match(database.prepare('SELECT typeof(title) AS type FROM shop.offers').all(), [{ type: 'integer' }])
    database.exec('INSERT INTO shop.parts VALUES (1, 1)')
    t.not((await adapter.read('/offers/1'))!.version, first!.version)
  })

  await t.test('sqlite: a mark of deletion moves the version in a table without triggers, too', async (t) => {
    const database = opened(t)
    database.exec('CREATE TABLE offers (id text PRIMARY KEY, title text, v text NOT NULL, gone_at text)')
    const options = { client: database, table: 'offers', id: 'id', version: 'v', columns, deleted: 'gone_at' }
    const adapter = tableAdapter(options)
    await adapter.open()
    const versionOf = () => (database.prepare('SELECT v FROM offers').all()[0] as { v: string }).v
    await adapter.write('/offers/a', { title: 'a' }, ABSENT)
    const first = versionOf()
    await adapter.remove('/offers/a', versionIn(first))
    t.not(versionOf(), first)
    database.exec('UPDATE offers SET gone_at = NULL')
    t.match(await adapter.write('/offers/a', { title: 'b' }, versionIn(first)), { applied: false })
  })

  await t.test('sqlite: an id is compared byte by byte where its column has a loose collation, and its index a strict one', async (t) => {
    const database = opened(t)
    database.exec('CREATE TABLE offers (id text COLLATE NOCASE, title text, v text NOT NULL)')
    database.exec('CREATE UNIQUE INDEX one ON offers (id COLLATE BINARY)')
    const adapter = tableAdapter({ client: database, table: 'offers', id: 'id', version: 'v', columns })
    await adapter.open()
    for (const id of ['a', 'A']) t.match(await adapter.write(`/offers/${id}`, { title: id }, ABSENT), { applied: true })
    for (const id of ['a', 'A']) t.match(await adapter.read(`/offers/${id}`), { value: { title: id } })
  })

  await t.test('sqlite: REPLACE fires the trigger of the child that it deletes with recursive_triggers alone', async (t) => {
    const database = opened(t)
    database.exec('CREATE TABLE offers (id text PRIMARY KEY, title text)')
    database.exec('CREATE TABLE parts (id integer PRIMARY KEY, offer text)')
    const adapter = tableAdapter({ client: database, table: 'offers', id: 'id', version: 'v', columns })
    for (const sql of adapter.migration({ children: [{ table: 'parts', references: 'offer' }] })) database.exec(sql)
    await adapter.write('/offers/a', { title: 'a' }, ABSENT)
    for (const setting of ['OFF', 'ON']) {
      database.exec(`PRAGMA recursive_triggers = ${setting}`)
      database.exec("REPLACE INTO parts VALUES (1, 'a')")
      const { version } = (await adapter.read('/offers/a'))!
      database.exec("REPLACE INTO parts VALUES (1, 'b')")
      t.equal((await adapter.read('/offers/a'))!.version === version, setting === 'OFF', setting)
    }
  })

  await t.test('sqlite: with recursive_triggers a change moves the version once, and a row that is replaced gets another one', async (t) => {
    for (const setting of ['OFF', 'ON']) {
      const database = opened(t)
      database.exec(`PRAGMA recursive_triggers = ${setting}`)
      database.exec('CREATE TABLE offers (id text PRIMARY KEY, title text)')
      for (const kind of ['token', 'counter'] as const) {
        const options = { client: database, table: 'offers', id: 'id', version: { column: kind, kind }, columns }
        const adapter = tableAdapter(options)
        for (const sql of adapter.migration()) database.exec(sql)
        if (kind === 'counter') database.exec('DROP TRIGGER offers_version_insert')
        await adapter.write('/offers/a', { title: 'a' }, ANY)
        const first = (await adapter.read('/offers/a'))!.version
        database.exec("UPDATE offers SET title = 'b'")
        const second = (await adapter.read('/offers/a'))!.version
        t.not(second, first)
        if (kind === 'counter') t.equal(Number(second), Number(first) + 1, setting)
        else database.exec("REPLACE INTO offers (id, title) VALUES ('a', 'c')")
        if (kind === 'token') t.match((await adapter.read('/offers/a'))!.version, /^[0-9a-f]{24}$/)
        database.exec('DROP TRIGGER offers_version_update')
      }
    }
  })
}
