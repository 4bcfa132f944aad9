import t from 'tap'
import { Type } from '@sinclair/typebox'
import { tableAdapter } from '../../../lib/storage/table/index.js'
import { ABSENT, EXISTS, versionIn } from '../../support/expectations.js'
import { NotingClient, poolTo, QUICK } from '../../support/postgres/subjects.js'
import { startPostgres } from '../../support/services/postgres.js'
import { skipWithout } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'
import { tableCases } from '../../support/table-adapter/cases.js'
import { conformance } from '../../support/table-adapter/conformance.js'
import type { TableEngine } from '../../support/table-adapter/engine.js'

const skip = skipWithout('postgres')

await t.test('postgres: the table adapter on a server', { skip }, async (t) => {
  const { url } = await startPostgres(t)
  const pools = [1, 2].map(() => poolTo(t, url, QUICK))
  const past = poolTo(t, url, QUICK)
  const engine: TableEngine = {
    dialect: 'postgres',
    client: pools[0]!,
    other: pools[1]!,
    run: async (sql) => await past.query(sql),
    rows: async (sql) => (await past.query<object>(sql)).rows,
    async rolledBack (steps) {
      const client = await pools[0]!.connect()
      await client.query('BEGIN')
      await steps(client)
      await client.query('ROLLBACK')
      client.release()
    }
  }
  const { run } = engine
  const table = async (sql: string): Promise<string> => {
    const name = uniqueName()
    await run(`CREATE TABLE ${name} (${sql})`)
    return name
  }

  const noting = pools.map((pool) => new NotingClient(pool))
  await conformance(t, { ...engine, client: noting[0]!, other: noting[1]! }, async () => {
    for (const client of noting) client.around = async () => { throw new Error('the connection is lost') }
    return async () => { for (const client of noting) client.around = async (_text, send) => await send() }
  })
  await tableCases(t, 'postgres', engine)

  await t.test('postgres: a version that a trigger makes is compared and told, whatever it is', async (t) => {
    const name = await table('id text PRIMARY KEY, n integer NOT NULL, changed timestamptz NOT NULL')
    await run(`CREATE FUNCTION ${name}_now() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      NEW.changed = clock_timestamp(); RETURN NEW; END $$`)
    await run(`CREATE TRIGGER now BEFORE INSERT OR UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION ${name}_now()`)
    const version = { column: 'changed', kind: 'trigger' as const }
    const columns = Type.Object({ n: Type.Integer() })
    const options = { client: pools[0]!, table: name, id: 'id', version, columns, key: '/x/:id' }
    const adapter = tableAdapter(options)
    await adapter.open()
    const created = await adapter.write('/x/1', { n: 1 }, ABSENT)
    t.match(created, { applied: true, version: /^\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d$/ })
    const first = (created as { version: string }).version
    t.match(await adapter.read('/x/1'), { version: first })
    t.match(await adapter.write('/x/1', { n: 2 }, versionIn(first)), { applied: true, created: false })
    t.match(await adapter.write('/x/1', { n: 3 }, versionIn(first)), { applied: false, current: { value: { n: 2 } } })
    t.throws(() => adapter.migration(), { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /trigger is yours/ })
  })

  await t.test('postgres: a child that a job with another search_path writes moves the version of its parent', async (t) => {
    const name = await table('id text PRIMARY KEY, n integer NOT NULL')
    const lines = await table('parent text')
    const columns = Type.Object({ n: Type.Integer() })
    const adapter = tableAdapter({ client: pools[0]!, table: name, id: 'id', version: 'v', columns, key: '/x/:id' })
    for (const sql of adapter.migration({ children: [{ table: lines, references: 'parent' }] })) await run(sql)
    await adapter.write('/x/a', { n: 1 }, ABSENT)
    const other = uniqueName()
    await run(`CREATE SCHEMA ${other} CREATE TABLE ${name} (id text, v text)`)
    for (const path of ['pg_catalog', other]) {
      const { version } = (await adapter.read('/x/a'))!
      await run(`BEGIN; SET LOCAL search_path = ${path}; INSERT INTO public.${lines} VALUES ('a'); COMMIT`)
      t.not((await adapter.read('/x/a'))!.version, version, path)
    }
  })

  await t.test('postgres: ids of uuid and of identity columns; a number that the column is too small for is no entity', async (t) => {
    const columns = Type.Object({ id: Type.String({ format: 'uuid' }), n: Type.Integer() })
    const name = await table('id uuid PRIMARY KEY, n integer NOT NULL, v text NOT NULL')
    const adapter = tableAdapter({ client: pools[0]!, table: name, id: 'id', version: 'v', columns, key: '/x/:id' })
    await adapter.open()
    const id = '0190163d-8694-739b-aea5-966c26f8ad91'
    t.match(await adapter.write(`/x/${id}`, { n: 1 } as never, ABSENT), { applied: true, value: { id, n: 1 } })
    t.match(await adapter.read(`/x/${id}`), { value: { id, n: 1 } })
    for (const other of [id.toUpperCase(), `%7B${id}%7D`, id.replaceAll('-', '')]) {
      await t.rejects(adapter.read(`/x/${other}`), { code: 'FST_IF_MATCH_INVALID_KEY' })
    }

    const made = await table('id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer NOT NULL, v text NOT NULL')
    const numbers = Type.Object({ id: Type.Integer(), n: Type.Integer() })
    const options = { client: pools[0]!, table: made, id: 'id', version: 'v', columns: numbers, key: '/x/:id' }
    await t.rejects(tableAdapter(options).open(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /insert: false/ })
    const posted = tableAdapter({ ...options, insert: false })
    await posted.open()
    await run(`INSERT INTO ${made} (n, v) VALUES (1, 'a')`)
    t.match(await posted.write('/x/1', { n: 2 } as never, versionIn('a')), { applied: true, value: { id: 1, n: 2 } })
    t.equal(await posted.read('/x/9007199254740991'), undefined)
    t.strictSame(await posted.remove('/x/9007199254740991', EXISTS), { applied: false, current: undefined })
  })

  await t.test('postgres: the boot refuses ids that compare loosely, and columns that change values', async (t) => {
    const loose = "provider = icu, locale = 'und-u-ks-level2', deterministic = false"
    await run(`CREATE COLLATION IF NOT EXISTS loose (${loose})`)
    const wrong: Array<[id: string, title: string, schema: object, message: RegExp]> = [
      ['text COLLATE loose', 'text', {}, /id, .* deterministic/],
      ['char(3)', 'text', {}, /id, .* cannot be the id/],
      ['text', 'char(3)', {}, /title, character/],
      ['text', 'timestamp', {}, /title, timestamp/],
      ['text', 'real', { title: Type.Number() }, /title, real/],
      ['text', 'numeric(4, 1)', { title: Type.Number({ multipleOf: 0.01 }) }, /title, numeric/],
      ['text', 'numeric(4, 1)', { title: Type.Number() }, /title, numeric/],
      ['text', 'numeric(4, 1)', { title: Type.Integer() }, /title, numeric/],
      ['text', 'text', { title: Type.Boolean() }, /title, text/],
      ['text', 'uuid', {}, /title, uuid/],
      ['text', 'bytea', { title: Type.Unknown() }, /title, bytea/],
      ['text', 'money', { title: Type.Number() }, /title, money/],
      ['text', 'text', { title: Type.Integer() }, /title, text/]
    ]
    for (const [id, title, schema, message] of wrong) {
      const name = await table(`id ${id} PRIMARY KEY, v varchar(16) NOT NULL, title ${title}`)
      const columns = Type.Object({ title: Type.String(), ...schema })
      const adapter = tableAdapter({ client: pools[0]!, table: name, id: 'id', version: 'v', columns })
      await t.rejects(adapter.open(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message })
    }
    const short = await table('id text PRIMARY KEY, v varchar(8) NOT NULL, title text')
    const columns = Type.Object({ title: Type.String() })
    const adapter = tableAdapter({ client: pools[0]!, table: short, id: 'id', version: 'v', columns })
    await t.rejects(adapter.open(), { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /takes 8 characters/ })
    await run('CREATE TYPE mood AS ENUM (\'sad\', \'ok\')').catch(() => {})
    const fine: Array<[title: string, schema: object]> = [
      ['numeric', { title: Type.Number() }], ['numeric', { title: Type.Integer() }],
      ['numeric(4, 2)', { title: Type.Number({ multipleOf: 0.1 }) }],
      ['numeric(4)', { title: Type.Integer() }], ['mood', {}], ['uuid', { title: Type.String({ format: 'uuid' }) }],
      ['jsonb', { title: Type.Array(Type.String()) }],
      ['varchar', { title: Type.Unknown() }],
      ['json', { title: Type.Unknown() }],
      ['timestamp', { title: Type.String({ readOnly: true }), n: Type.Integer() }]
    ]
    for (const [title, schema] of fine) {
      const name = await table(`id text UNIQUE, v varchar(16) NOT NULL, title ${title}, n integer`)
      const columns = Type.Object({ title: Type.String(), ...schema })
      const options = { client: pools[0]!, table: `public.${name}`, version: 'v', columns }
      for (const id of [Type.String(), Type.String({ format: 'uuid' })]) {
        await tableAdapter({ ...options, id: Type.Object({ id }) }).open()
      }
    }
  })
})
