import { Type, type TSchema } from '@sinclair/typebox'
import callbacks from 'mysql2'
import mysql2 from 'mysql2/promise'
import t from 'tap'
import { tableAdapter } from '../../../lib/storage/table/index.js'
import { ABSENT, ANY, versionIn } from '../../support/expectations.js'
import { tableCases } from '../../support/table-adapter/cases.js'
import { mysqlTables } from '../../support/table-adapter/mysql-engine.js'
import { skipWithout } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'

const skip = skipWithout('mysql')

await t.test('mysql: the table adapter with mysql2', { skip }, async (t) => {
  const { login, past, engineOf } = await mysqlTables(t)
  await tableCases(t, 'mysql', engineOf(t, mysql2.createPool))

  await t.test('mysql: the boot refuses ids that compare loosely, columns that change values, and a mode that is not strict', async (t) => {
    const columns = (title: TSchema, id = Type.String()) =>
      ({ id: Type.Object({ id }), columns: Type.Object({ title }) })
    const open = async (id: string, title: string, more: object, client: object = past): Promise<void> => {
      const table = uniqueName()
      await past.query(`CREATE TABLE ${table} (id ${id} PRIMARY KEY, v varchar(16) NOT NULL, title ${title})`)
      const options = { client, dialect: 'mysql', table: ['test', table], version: 'v', ...(more as object) }
      await tableAdapter(options as never).open()
    }
    const UUID = Type.String({ format: 'uuid' })
    const wrong: Array<[id: string, title: string, more: object, message: RegExp]> = [
      ['varchar(9) COLLATE utf8mb4_general_ci', 'text', columns(Type.String()), /id, .* utf8mb4_nopad_bin/],
      ['varchar(9) COLLATE utf8mb4_bin', 'text', columns(Type.String()), /id, .* utf8mb4_nopad_bin/],
      ['char(9) COLLATE utf8mb4_nopad_bin', 'text', columns(Type.String()), /id, .* cannot be the id/],
      ['binary(9)', 'text', columns(Type.String()), /id, .* cannot be the id/],
      ['int', 'text', columns(Type.String(), UUID), /id, .* cannot be the id/],
      ['int', 'text', columns(Type.String()), /id, .* cannot be the id/],
      ['varchar(9)', 'text', columns(Type.String(), Type.Integer() as never), /id, .* cannot be the id/],
      ['varbinary(9)', 'char(9)', columns(Type.String()), /title, char/],
      ['varbinary(9)', 'datetime', columns(Type.String()), /title, datetime/],
      ['varbinary(9)', "enum('a')", columns(Type.String()), /title, enum/],
      ['varbinary(9)', 'float', columns(Type.Number()), /title, float/],
      ['varbinary(9)', 'decimal(4, 1)', columns(Type.Number()), /title, decimal/],
      ['varbinary(9)', 'decimal(4, 1)', columns(Type.Integer()), /title, decimal/],
      ['varbinary(9)', 'bit(1)', columns(Type.Boolean()), /title, bit/],
      ['varbinary(9)', 'blob', columns(Type.Unknown()), /title, blob/]
    ]
    for (const [id, title, more, message] of wrong) {
      await t.rejects(open(id, title, more), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }, `${id}, ${title}`)
    }
    const fine: Array<[id: string, title: string, more: object]> = [
      ['varbinary(9)', "enum('a', 'b')", columns(Type.Union([Type.Literal('a'), Type.Literal('b')]))],
      ['int AUTO_INCREMENT', 'decimal(4, 2)', columns(Type.Number({ multipleOf: 0.1 }), Type.Integer() as never)],
      ['char(36)', 'decimal(9)', columns(Type.Integer(), UUID)],
      ['varchar(36) COLLATE utf8mb4_general_ci', 'json', columns(Type.Unknown(), UUID)]
    ]
    for (const row of fine) await open(...row)
    const loose = await mysql2.createConnection(login)
    t.teardown(async () => { await loose.end() })
    await loose.query("SET SESSION sql_mode = ''")
    const refused = { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /STRICT_TRANS_TABLES/ }
    await t.rejects(open('varbinary(9)', 'text', columns(Type.String()), loose), refused)
  })

  await t.test('mysql: a client of mysql2 with callbacks; an id of 0, which would make the next one; a unique id that is no primary key', async (t) => {
    const client = callbacks.createConnection(login)
    t.teardown(() => { client.destroy() })
    const table = uniqueName()
    const sql = 'id int AUTO_INCREMENT PRIMARY KEY, v varchar(16) NOT NULL, n int, slug varbinary(9) UNIQUE'
    await past.query(`CREATE TABLE ${table} (${sql})`)
    const n = Type.Object({ n: Type.Integer() })
    const numbers = tableAdapter({
      client,
      table,
      id: Type.Object({ id: Type.Integer() }),
      version: 'v',
      columns: n,
      key: (key) => ({ id: Number(key) })
    })
    await numbers.open()
    await t.rejects(numbers.write('0', { n: 1 }, ABSENT), { code: 'FST_IF_MATCH_INVALID_KEY' })
    t.match(await numbers.write('7', { n: 1 }, ABSENT), { applied: true })
    const slugs = tableAdapter({ client, table, id: 'slug', version: 'v', columns: n, key: '/x/:slug' })
    await slugs.open()
    t.match(await slugs.write('/x/a', { n: 2 }, ABSENT), { applied: true, created: true })
    t.match(await slugs.write('/x/a', { n: 3 }, ABSENT), { applied: false, current: { value: { n: 2 } } })
    t.match(await slugs.write('/x/a', { n: 3 }, ANY), { applied: true, created: false })
  })

  await t.test('mysql: a version is compared by its bytes, whatever the collation of its column', async (t) => {
    const table = uniqueName()
    const version = 'v varchar(16) COLLATE utf8mb4_general_ci NOT NULL'
    await past.query(`CREATE TABLE ${table} (id varbinary(9) PRIMARY KEY, ${version}, n int)`)
    await past.query(`INSERT INTO ${table} VALUES ('a', 'abc', 1)`)
    const columns = Type.Object({ n: Type.Integer() })
    const adapter = tableAdapter({ client: past, table, id: 'id', version: 'v', columns, key: '/x/:id' })
    for (const other of ['ABC', 'abc ', 'àbc']) {
      t.match(await adapter.write('/x/a', { n: 2 }, versionIn(other)), { applied: false }, other)
      t.match(await adapter.remove('/x/a', versionIn(other)), { applied: false }, other)
    }
    t.match(await adapter.write('/x/a', { n: 2 }, versionIn('abc')), { applied: true })
  })

  await t.test('mysql: a row of which the database makes a column is told as it was sent, without that column, if another writer came in between', async (t) => {
    const table = uniqueName()
    const sql = 'id varbinary(9) PRIMARY KEY, v varchar(16) NOT NULL, n int, twice int AS (n * 2)'
    await past.query(`CREATE TABLE ${table} (${sql})`)
    const columns = Type.Object({ n: Type.Integer(), twice: Type.Integer({ readOnly: true }) })
    let between = async (): Promise<unknown> => undefined
    const client = {
      async execute (sql: string, values: never[]) {
        if (sql.startsWith('SELECT')) await between()
        return await past.execute(sql, values)
      }
    }
    const adapter = tableAdapter({ client, dialect: 'mysql', table, id: 'id', version: 'v', columns, key: '/x/:id' })
    t.match(await adapter.write('/x/a', { n: 1, twice: 9 }, ABSENT), { applied: true, value: { n: 1, twice: 2 } })
    between = async () => await past.query(`UPDATE ${table} SET v = 'other', n = 5`)
    t.strictSame(((await adapter.write('/x/a', { n: 2, twice: 9 }, ANY)) as { value?: unknown }).value, { n: 2 })
    between = async () => { throw new Error('the connection is lost') }
    t.strictSame(((await adapter.write('/x/a', { n: 3, twice: 9 }, ANY)) as { value?: unknown }).value, { n: 3 })
    t.strictSame((await past.query(`SELECT n FROM ${table}`))[0], [{ n: 3 }])
  })

  for (const level of ['REPEATABLE READ', 'READ COMMITTED']) {
    await t.test(`mysql: in a transaction of the app at ${level} that has read before, a refusal has the newest state`, async (t) => {
      const table = uniqueName()
      const sql = 'id varbinary(9) PRIMARY KEY, v varchar(16) NOT NULL, n int, gone_at datetime'
      await past.query(`CREATE TABLE ${table} (${sql})`)
      const columns = Type.Object({ n: Type.Integer() })
      const at = { client: past, table, version: 'v', columns, key: '/x/:id' as const }
      for (const more of [{}, { deleted: 'gone_at' }]) {
        await past.query(`DELETE FROM ${table}`)
        await past.query(`INSERT INTO ${table} (id, v, n) VALUES ('a', 'before', 1), ('gone', 'gone', 1)`)
        const adapter = tableAdapter({ ...at, id: 'id', ...more })
        const client = await mysql2.createConnection(login)
        t.teardown(() => { client.destroy() })
        await client.query(`SET TRANSACTION ISOLATION LEVEL ${level}`)
        await client.query('BEGIN')
        const context = { client }
        t.match(await adapter.read('/x/a', { context }), { version: 'before', value: { n: 1 } })
        await past.query(`UPDATE ${table} SET v = 'after', n = 2 WHERE id = 'a'`)
        await past.query(`DELETE FROM ${table} WHERE id = 'gone'`)
        await past.query(`INSERT INTO ${table} (id, v, n) VALUES ('new', 'after', 2)`)
        const refused = { applied: false, current: { version: 'after', value: { n: 2 } } }
        t.match(await adapter.write('/x/a', { n: 3 }, versionIn('before'), { context }), refused)
        t.match(await adapter.remove('/x/a', versionIn('before'), { context }), refused)
        t.match(await adapter.write('/x/new', { n: 3 }, ABSENT, { context }), refused)
        const absent = { applied: false, current: undefined }
        t.strictSame(await adapter.write('/x/gone', { n: 3 }, versionIn('gone'), { context }), absent)
        t.match(await adapter.write('/x/a', { n: 3 }, versionIn('after'), { context }), { applied: true })
        await client.query('COMMIT')
        t.match(await adapter.read('/x/a'), { value: { n: 3 } })
      }
    })
  }
})
