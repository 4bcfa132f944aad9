import { inspect } from 'node:util'
import t from 'tap'
import {
  createTableSql,
  mysqlAdapter,
  type MysqlAdapterOptions
} from '../../../lib/storage/mysql/index.js'
import { ANY } from '../../support/expectations.js'
import { configOf, driversOf, isMariaDb, type Driver } from '../../support/mysql/drivers.js'
import { noted, openedAdapter, PATIENT, warningsOf } from '../../support/mysql/subjects.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'
import { freePort } from '../../support/services/free-port.js'
import { uniqueName } from '../../support/services/service.js'

const SHAPE = {
  key: 'VARBINARY(1024) NOT NULL',
  version: 'VARBINARY(64) NOT NULL',
  replaced: 'VARBINARY(64)',
  digest: 'LONGTEXT CHARACTER SET utf8mb4',
  value: 'LONGTEXT CHARACTER SET utf8mb4 NOT NULL'
}

// MySQL has other words for some of the columns and modes.
await t.test('mysql: boot', { skip: skipWithout('mysql') }, async (t) => {
  const { url } = await startMariadb(t)
  const [mysql2, mariadb] = driversOf(url) as [Driver, Driver]
  const steady = mysql2.pool(t)

  if (!await isMariaDb(steady)) {
    t.comment('not on MySQL')
    return
  }

  async function made (shape: Partial<typeof SHAPE>, more = ', PRIMARY KEY (`key`)', engine = 'InnoDB') {
    const table = uniqueName()
    const columns = Object.entries({ ...SHAPE, ...shape }).filter(([, type]) => type !== '')
    const list = columns.map(([name, type]) => `\`${name}\` ${type}`).join(', ')
    await steady.query(`CREATE TABLE ${table} (${list}${more}) ENGINE = ${engine} ROW_FORMAT = DYNAMIC`)
    return table
  }

  async function open (options: Partial<MysqlAdapterOptions>): Promise<void> {
    await mysqlAdapter({ client: steady, ...PATIENT, ...options }).open!()
  }

  await t.test('mysql: the table of createTableSql is accepted, and so is a table of an app with these columns', async (t) => {
    const own = uniqueName()
    await steady.query(createTableSql({ table: own }))
    const app = await made(
      {
        version: 'varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL',
        value: 'JSON NOT NULL',
        digest: 'varchar(255) CHARACTER SET utf8mb4'
      },
      ", PRIMARY KEY (`key`), owner varchar(9) NOT NULL DEFAULT 'me', note text, n int AUTO_INCREMENT UNIQUE, " +
        "title varchar(99) AS (json_value(value, '$.title')) STORED"
    )
    for (const table of [own, app]) {
      t.strictSame(await warningsOf(() => open({ table })), [])
      t.match(await mysqlAdapter({ client: steady, table }).write('k', { title: 'a' }, ANY), { applied: true })
    }
    await open({ table: await made({ key: '' }, ', id VARBINARY(1024) PRIMARY KEY'), columns: { key: 'Id' } })
  })

  await t.test('mysql: a table that would take two keys for one, change what it stores or leave a part of a statement is refused', async (t) => {
    const cases: Array<[shape: Partial<typeof SHAPE>, more: string | undefined, message: RegExp, engine?: string]> = [
      [{}, '', /key is not its primary key by itself/],
      [{}, ', PRIMARY KEY (`key`, version)', /key is not its primary key by itself/],
      [{}, ', PRIMARY KEY (`key`(99))', /key is not its primary key by itself/],
      [{}, ', UNIQUE (`key`), id int PRIMARY KEY DEFAULT 1', /key is not its primary key by itself/],
      [{ key: 'VARBINARY(900) NOT NULL' }, undefined, /its engine is MyISAM, and not InnoDB/, 'MyISAM'],
      [{ key: 'VARBINARY(512) NOT NULL' }, undefined, /key takes 512 bytes/],
      [{ key: 'VARCHAR(255) COLLATE utf8mb4_bin NOT NULL' }, undefined, /key is varchar, and not varbinary/],
      [{ key: 'BINARY(255) NOT NULL' }, undefined, /key is binary/],
      [{ version: 'varchar(64) CHARACTER SET ascii NOT NULL' }, undefined, /the collation ascii_general_ci/],
      [{ version: 'VARBINARY(15) NOT NULL' }, undefined, /version takes 15 bytes, and a version has 16/],
      [{ version: 'int NOT NULL' }, undefined, /version is int/],
      [{ version: 'VARBINARY(64) AS (digest) STORED' }, undefined, /version is generated/],
      [{ replaced: 'VARBINARY(8)' }, undefined, /replaced takes 8 bytes/],
      [{ digest: 'varchar(254) CHARACTER SET utf8mb4' }, undefined, /digest takes 254 characters, and a digest has up/],
      [{ replaced: 'VARBINARY(64) NOT NULL' }, undefined, /replaced takes no NULL/],
      [{ digest: '' }, undefined, /no column digest/],
      [{ digest: 'LONGTEXT CHARACTER SET latin1' }, undefined, /digest has the character set latin1/],
      [{ value: 'LONGBLOB NOT NULL' }, undefined, /value is longblob/],
      [{ value: 'LONGTEXT CHARACTER SET utf8mb3 NOT NULL' }, undefined, /value has the character set utf8mb3/],
      [{}, ', PRIMARY KEY (`key`), owner varchar(9) NOT NULL', /owner takes no NULL and has no default/]
    ]
    for (const [shape, more, message, engine] of cases) {
      const table = await made(shape, more, engine)
      await t.rejects(open({ table }), {
        code: 'FST_IF_MATCH_INVALID_ADAPTER', message: new RegExp(`another shape.*${message.source}.*CREATE TABLE`)
      }, message.source)
    }
    const note = noted(steady)
    note.around = async (text, send) => {
      const [rows] = await send() as [Buffer[][]]
      return [rows.map((row) => String(row[0]) === 'value' ? row.with(1, Buffer.from('json')) : row)]
    }
    await t.rejects(open({ client: note.client, table: await made({}) }), {
      message: /value is json, which changes values\. Take longtext/
    }, 'JSON of MySQL')
    const view = uniqueName()
    await steady.query(`CREATE VIEW ${view} AS SELECT * FROM ${await made({})}`)
    await t.rejects(open({ table: view }), { message: /it is a VIEW, and no table/ })
    await t.rejects(open({ table: 'missing' }), {
      message: /there is no table `missing`.*CREATE TABLE IF NOT EXISTS `missing`/
    })
    const table = await made({})
    await t.rejects(open({ table: table.toUpperCase() }), { message: /there is no table/ }, 'case counts')
  })

  for (const driver of [mysql2, mariadb]) {
    const { name } = driver
    const table = await made({})

    await t.test(`${name}: a connection that cuts values off, loses characters, commits nothing or reads what is not committed is refused`, async (t) => {
      const cases: Array<[sql: string, message: RegExp, options?: object]> = [
        ["SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'", /sql_mode that is not strict.*STRICT_TRANS_TABLES/],
        ["SET SESSION sql_mode = 'STRICT_ALL_TABLES,EMPTY_STRING_IS_NULL'", /EMPTY_STRING_IS_NULL.*Take it out/],
        ['SET autocommit = 0', /autocommit/],
        ['SET unique_checks = 0', /created twice/],
        ['SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED', /READ COMMITTED or higher/],
        ['SELECT 1', /character set than utf8mb4/, { charset: name === 'mysql2' ? 'latin1' : 'LATIN1' }],
        ['SET NAMES utf8mb3', /character set than utf8mb4/],
        ['SET SESSION TRANSACTION READ ONLY', /read only/],
        ['SELECT 1', /has no database.*"database"/, { database: undefined }],
        ['BEGIN', /inside a transaction of the app/]
      ]
      for (const [sql, message, options] of cases) {
        const client = await driver.connect(t, options)
        await client.query(sql)
        await t.rejects(open({ client, table }), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }, sql)
      }
      await open({ client: driver.pool(t, { database: undefined }), table, database: configOf(url).database })
    })

    await t.test(`${name}: a user without a right is told which, and who may not create a table may use one that is there`, async (t) => {
      const [user, database] = [uniqueName(), uniqueName()]
      await steady.query(`CREATE USER ${user}`)
      // Everybody may do everything in the database "test".
      await steady.query(`CREATE DATABASE ${database}`)
      t.teardown(async () => {
        await steady.query(`DROP USER ${user}`)
        await steady.query(`DROP DATABASE ${database}`)
      })
      await steady.query(createTableSql({ database, table: 't' }))
      for (const right of ['SELECT', 'INSERT', 'UPDATE', 'DELETE']) {
        await steady.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${database}.t TO ${user}`)
        await steady.query(`REVOKE ${right} ON ${database}.t FROM ${user}`)
        const client = driver.pool(t, { user, database })
        await t.rejects(open({ client, table: 't' }), {
          code: 'FST_IF_MATCH_INVALID_ADAPTER', message: new RegExp(`may not ${right} in \`t\`. GRANT`)
        })
      }
      await steady.query(`GRANT SELECT ON ${database}.t TO ${user}`)
      const client = driver.pool(t, { user, database })
      await mysqlAdapter({ client, table: 't' }).createTable()
      await t.rejects(mysqlAdapter({ client, table: 'missing' }).createTable(), {
        code: 'FST_IF_MATCH_INVALID_ADAPTER',
        message: /may not make the table\..*CREATE TABLE IF NOT EXISTS `missing`.*GRANT/
      })
    })

    await t.test(`${name}: a wrong address, user or database is told`, async (t) => {
      const bounds = name === 'mariadb' ? { acquireTimeout: 300 } : {}
      const cases: Array<[options: object, message: RegExp]> = [
        [{ port: await freePort() }, /no connection could be had.*ECONNREFUSED/],
        [{ host: 'no-such-host.invalid' }, /no connection could be had/],
        [{ user: 'nobody', password: 'x' }, /does not accept the user.*nobody/],
        [{ database: 'nowhere' }, /no such database.*nowhere/]
      ]
      for (const [options, message] of cases) {
        const client = driver.pool(t, { ...bounds, ...options })
        const refused = { code: 'FST_IF_MATCH_INVALID_ADAPTER', message }
        await t.rejects(open({ client, table }), refused, inspect(options))
        await t.rejects(mysqlAdapter({ client, table }).createTable(), refused)
      }
    })
  }

  await t.test('mysql: a setting that can lose acknowledged writes is a warning', async (t) => {
    const note = noted(steady)
    const table = await made({})
    for (const [setting, value] of [['innodb_flush_log_at_trx_commit', '2'], ['innodb_doublewrite', 'OFF']] as const) {
      note.around = async (text, send) => {
        if (!text.startsWith('SHOW VARIABLES')) return await send()
        const [rows] = await send() as [Buffer[][]]
        return [rows.map(([name, found]) => [name, String(name) === setting ? Buffer.from(value) : found])]
      }
      const warnings = await warningsOf(() => open({ client: note.client, table }))
      const message = new RegExp(`${setting} = ${value}: a crash of the server can lose writes`)
      t.match(warnings, [{ code: 'FST_IF_MATCH_MYSQL_NOT_DURABLE', message }])
      t.equal(warnings.length, 1)
    }
  })

  await t.test('mysql: createTable leaves a table that is there as it is, also when many make it at once', async (t) => {
    const { adapter, table } = await openedAdapter(steady)
    await adapter.write('k', 1, ANY)
    await Promise.all(Array.from({ length: 8 }, () => mysqlAdapter({ client: steady, table }).createTable()))
    t.match(await adapter.read('k'), { value: 1 })
    const together = uniqueName()
    await Promise.all(Array.from({ length: 8 }, () => mysqlAdapter({ client: steady, table: together }).createTable()))
    await open({ table: together })
  })
})
