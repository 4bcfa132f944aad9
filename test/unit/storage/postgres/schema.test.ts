import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import type { PostgresClient } from '../../../../lib/storage/postgres/client.js'
import { checkTable, makeTable } from '../../../../lib/storage/postgres/schema.js'
import { PostgresSession } from '../../../../lib/storage/postgres/session.js'
import { createTableSql } from '../../../../lib/storage/postgres/sql.js'
import { warningsOf } from '../../../support/postgres/subjects.js'
import { uniqueName } from '../../../support/services/service.js'

const lite = await PGlite.create()
t.teardown(async () => { await lite.close() })

async function warningsOn (table: string, client: PostgresClient = lite, options = {}) {
  return await warningsOf(async () => {
    await checkTable(new PostgresSession(client, { timeout: 10_000 }), { table, ...options })
  })
}

// PGlite, with other settings than it has.
function serverWith (settings: object): PostgresClient {
  return {
    async query (text: string, values: unknown[]) {
      const { rows } = await lite.query<object>(text, values)
      return {
        rows: text.includes('server_encoding') ? rows.map((row) => ({ ...row, fsync: 'on', ...settings })) : rows
      }
    }
  } as PostgresClient
}

async function made (columns: string, after = ''): Promise<string> {
  const table = uniqueName()
  await lite.exec(`CREATE TABLE ${table} (${columns}); ${after.replaceAll('TABLE', table)}`)
  return table
}

const REST = 'version text NOT NULL, replaced text, digest text, value json NOT NULL'

await t.test('postgres: the table of createTableSql is accepted, and so is a table of an app with these columns', async (t) => {
  const table = uniqueName()
  await lite.exec(createTableSql({ table }))
  t.strictSame(await warningsOn(table, serverWith({})), [])
  const other = await made(
    "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text NOT NULL DEFAULT 'me', note text, " +
      `${REST.replace('json', 'text').replace('version text', 'version varchar(16)')
        .replace('digest text', 'digest varchar(255)')}, ` +
      'key varchar(1024) COLLATE "POSIX"',
    'CREATE UNIQUE INDEX ON TABLE (key) INCLUDE (version)'
  )
  t.strictSame(await warningsOn(other, serverWith({})), [])
  t.strictSame(
    await warningsOn(await made(`key text COLLATE "C" PRIMARY KEY, ${REST.replace('json', 'jsonb')}`), serverWith({})),
    []
  )
})

await t.test('postgres: columns may have other names, and are checked by these', async (t) => {
  const table = await made(`Id text COLLATE "C" PRIMARY KEY, ${REST}`)
  t.strictSame(await warningsOn(table, serverWith({}), { columns: { key: 'id' } }), [])
  await t.rejects(warningsOn(table, lite, { columns: { key: 'Id' } }), { message: /no column Id/ })
})

await t.test('postgres: a missing table is refused, and the message has the SQL that creates it', async (t) => {
  await t.rejects(warningsOn('missing'), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /no table "missing".*CREATE TABLE IF NOT EXISTS "missing"/
  })
  await t.rejects(warningsOn('missing', lite, { schema: 'nowhere' }), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /no table "nowhere"."missing"/
  })
})

await t.test('postgres: a table that would take two keys for one, order them otherwise, change what it stores or refuse every row is refused', async (t) => {
  const key = 'key text COLLATE "C" PRIMARY KEY'
  const cases: Array<[string, string, RegExp]> = [
    [`key text COLLATE "C", ${REST}`, '', /no primary key/],
    [`key text COLLATE "C", ${REST}, UNIQUE (key, version)`, '', /no primary key/],
    [`key text COLLATE "C", ${REST}`, "CREATE UNIQUE INDEX ON TABLE (key) WHERE version <> ''", /no primary key/],
    [`key text COLLATE "C" UNIQUE DEFERRABLE, ${REST}`, '', /deferrable/],
    [`key text PRIMARY KEY, ${REST}`, '', /COLLATE "C"/],
    [`key int PRIMARY KEY, ${REST}`, '', /key is integer, and not text or character varying/],
    [`key char(9) COLLATE "C" PRIMARY KEY, ${REST}`, '', /key is character/],
    [`${key}, ${REST.replace('digest text, ', '')}`, '', /no column digest/],
    [`${key}, ${REST.replace('json', 'bytea')}`, '', /value is bytea/],
    [`${key}, ${REST.replace('replaced text', 'replaced text NOT NULL')}`, '', /replaced takes no NULL/],
    [
      `${key}, ${REST.replace('version text', 'version varchar(15)')}`,
      '',
      /version takes 15 characters, and a version has 16/
    ],
    [`${key}, ${REST.replace('replaced text', 'replaced varchar(8)')}`, '', /replaced takes 8 characters/],
    [
      `${key}, ${REST.replace('digest text', 'digest varchar(254)')}`,
      '',
      /digest takes 254 characters, and a digest has up to 255/
    ],
    [
      `${key}, ${REST.replace('json NOT NULL', "json GENERATED ALWAYS AS ('1'::json) STORED")}`,
      '',
      /value is generated/
    ],
    [`${key}, ${REST}, owner text NOT NULL`, '', /owner takes no NULL/]
  ]
  for (const [columns, after, message] of cases) {
    const table = await made(columns, after)
    await t.rejects(
      warningsOn(table),
      {
        code: 'FST_IF_MATCH_INVALID_ADAPTER',
        message: new RegExp(`of?.*another shape.*${message.source}.*CREATE TABLE`)
      },
      `${columns} ${after}`
    )
  }
})

await t.test('postgres: a server that is read only, holds another encoding or gives too few rights is refused', async (t) => {
  const table = uniqueName()
  await lite.exec(createTableSql({ table }))
  const cases: Array<[object, RegExp]> = [
    [{ is_read_only: 'on' }, /read only.*primary/], [{ encoding: 'LATIN1' }, /LATIN1.*UTF8/],
    [{ may_delete: false, may_insert: false }, new RegExp(`may not insert, delete in "${table}". GRANT`)]
  ]
  for (const [settings, message] of cases) {
    await t.rejects(warningsOn(table, serverWith(settings)), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message })
  }
})

await t.test('postgres: a setting that can lose acknowledged writes is a warning', async (t) => {
  const table = uniqueName()
  await lite.exec(createTableSql({ table }))
  for (const setting of ['synchronous_commit', 'fsync', 'full_page_writes']) {
    const warnings = await warningsOn(table, serverWith({ [setting]: 'off' }))
    t.match(warnings, [
      {
        code: 'FST_IF_MATCH_POSTGRES_NOT_DURABLE',
        message: new RegExp(`${setting} = off: a crash of the server can lose writes`)
      }
    ])
    t.equal(warnings.length, 1)
  }
  await lite.exec(`ALTER TABLE ${table} SET UNLOGGED`)
  t.match(await warningsOn(table, serverWith({})), [
    { code: 'FST_IF_MATCH_POSTGRES_UNLOGGED', message: /is unlogged or temporary/ }
  ])
})

await t.test('postgres: a policy that may hide rows from this user, which then read as absent, is a warning', async (t) => {
  const table = uniqueName()
  const reader = uniqueName()
  await lite.exec(
    `${createTableSql({ table })}; CREATE ROLE ${reader}; GRANT ALL ON ${table} TO ${reader}; ` +
      `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`
  )
  t.strictSame(await warningsOn(table, serverWith({})), [], 'the owner sees all rows')
  const warning = {
    code: 'FST_IF_MATCH_POSTGRES_ROW_SECURITY',
    message: /a policy hides from this user reads as absent/
  }
  await lite.exec(`SET ROLE ${reader}`)
  t.match(await warningsOn(table, serverWith({})), [warning])
  await lite.exec(`RESET ROLE; ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`)
  t.match(await warningsOn(table, serverWith({})), [warning], 'and here not even the owner does')
})

/** A server that fails to create a table `times` times, with this SQLSTATE, and the statements that it was sent. */
function refusing (code: string, times: number, isThere = false) {
  const sent: string[] = []
  const client = {
    async query (text: string) {
      sent.push(text)
      if (text.startsWith('CREATE') && times-- > 0) throw Object.assign(new Error('simulated'), { code })
      return { rows: [{ is_there: isThere }] }
    }
  } as unknown as PostgresClient
  return { session: new PostgresSession(client, { timeout: 1000 }), sent }
}

await t.test('postgres: makeTable tries again, up to 5 times, if another process creates the table; it throws any other error', async (t) => {
  const made = refusing('42710', 2)
  await makeTable(made.session, {})
  t.equal(made.sent.length, 3)
  const never = refusing('42P07', Infinity)
  await t.rejects(makeTable(never.session, {}), { code: '42P07' })
  t.equal(never.sent.length, 5)
  const full = refusing('53100', Infinity)
  await t.rejects(makeTable(full.session, {}), { code: '53100' })
  t.equal(full.sent.length, 1)
})

await t.test('postgres: a user who may not create a table may use one that exists; if it is missing, the error has the SQL', async (t) => {
  await makeTable(refusing('42501', 1, true).session, { schema: 'mine' })
  await t.rejects(makeTable(refusing('42501', 1).session, { schema: 'mine' }), {
    code: 'FST_IF_MATCH_INVALID_ADAPTER',
    message: /may not make the table\..*CREATE TABLE IF NOT EXISTS "mine"."entities".*GRANT .* ON "mine"."entities"/
  })
})
