import type { Test } from 'tap'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { jsonText } from '../../../lib/storage/kit/json.js'
import { checkKey } from '../../../lib/storage/kit/key.js'
import { statementsAdapter, type ReturnedRow } from '../../../lib/storage/statements/index.js'
import { ABSENT, EXISTS, versionIn } from '../expectations.js'
import { newApp, send } from '../offers-app.js'
import type { EngineClient } from './engine-cases.js'

/** A table whose database makes the versions, without `replaced` and `digest`. */
export interface VersionedTable {
  /** Its SQL: a table `items` of `id` and `body`, what makes versions, and a trigger that trims `body`. */
  schema: string
  /** The version of a row, as text. */
  version: string
  /** What an UPDATE of the adapter sets beside the body. */
  set?: string
  /** The condition that the version is one of a list, which is parameter $n. */
  isOneOf: (n: number) => string
  /** The list as the parameter. */
  list: (versions: readonly string[]) => unknown
  /** Whether versions never come back, not even in a second life of the row. */
  outlivesRow: boolean
  faultOf: (error: unknown) => Error | undefined
}

type FaultOf = VersionedTable['faultOf']

/** Tables of PostgreSQL. The clock of PGlite has milliseconds, so a second life may begin within one of the first. */
export function postgresTables (faultOf: FaultOf): Record<string, VersionedTable> {
  const table = (column: string, version: string, change: string, outlivesRow: boolean): VersionedTable => ({
    faultOf,
    schema: `
      CREATE TABLE items (id text COLLATE "C" PRIMARY KEY, body text NOT NULL${column});
      CREATE FUNCTION items_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        NEW.body = trim(NEW.body);
        ${change}
        RETURN NEW;
      END $$;
      CREATE TRIGGER items_change BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION items_change()`,
    version,
    outlivesRow,
    isOneOf: (n) => `${version} = ANY ($${n})`,
    list: (versions) => versions
  })
  const count = 'NEW.row_version = OLD.row_version + 1;'
  return {
    'a counter': table(', row_version bigint NOT NULL DEFAULT 1', 'row_version::text', count, false),
    'a counter behind a mark of the creation': table(
      `, row_version bigint NOT NULL DEFAULT 1,
        created_mark text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', '')`,
      "created_mark || '-' || row_version",
      count,
      true
    ),
    'a clock': table(
      ', updated_at timestamptz NOT NULL DEFAULT clock_timestamp()',
      "to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')",
      "NEW.updated_at = greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');",
      true
    ),
    xmin: table('', 'xmin::text', '', true)
  }
}

/** Tables of SQLite. RETURNING gives what was there ahead of an AFTER trigger, so the statement itself counts. */
export function sqliteTables (faultOf: FaultOf): Record<string, VersionedTable> {
  const table = (column: string, version: string, outlivesRow: boolean): VersionedTable => ({
    faultOf,
    schema: `
      CREATE TABLE items (
        id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL, row_version INTEGER NOT NULL DEFAULT 1${column}
      );
      CREATE TRIGGER items_change AFTER UPDATE ON items WHEN NEW.row_version = OLD.row_version BEGIN
        UPDATE items SET body = trim(body), row_version = OLD.row_version + 1 WHERE id = NEW.id;
      END`,
    version,
    set: ', row_version = row_version + 1',
    outlivesRow,
    isOneOf: (n) => `${version} IN (SELECT value FROM json_each($${n}))`,
    list: (versions) => JSON.stringify(versions)
  })
  return {
    'a counter': table('', 'CAST(row_version AS TEXT)', false),
    'a counter behind a mark of the creation': table(
      ', created_mark TEXT NOT NULL DEFAULT (lower(hex(randomblob(8))))',
      "created_mark || '-' || row_version",
      true
    )
  }
}

/** An adapter over the table. Its statements give the row that is stored. */
export function itemsAdapter (client: EngineClient, table: VersionedTable, store = ''): StorageAdapter {
  const { version, set = '', isOneOf, list, faultOf } = table
  const row = `body, ${version} AS version`
  const where = (n: number, versions?: readonly string[]): string =>
    `WHERE id = $1${versions === undefined ? '' : ` AND ${isOneOf(n)}`}`
  const lists = (versions?: readonly string[]): unknown[] => versions === undefined ? [] : [list(versions)]
  return statementsAdapter<unknown, { body: string }, EngineClient>({
    client,
    toId (key) {
      checkKey(key)
      return store + key
    },
    toColumns: (value) => ({ body: jsonText(value) }),
    toValue: ({ body }) => JSON.parse(body),
    async read (client, id) {
      return (await client.run(`SELECT ${row} FROM items WHERE id = $1`, [id])).rows[0] as never
    },
    async update (client, id, { body }, versions) {
      const sql = `UPDATE items SET body = $2${set} ${where(3, versions)} RETURNING ${row}`
      return (await client.run(sql, [id, body, ...lists(versions)])).rows as ReturnedRow[]
    },
    async insert (client, id, { body }) {
      const sql = `INSERT INTO items (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING ${row}`
      return (await client.run(sql, [id, body])).rows as ReturnedRow[]
    },
    async remove (client, id, versions) {
      return (await client.run(`DELETE FROM items ${where(2, versions)}`, [id, ...lists(versions)])).count
    },
    faultOf
  })
}

/** Clients of an empty table `items`; both are closed when the test ends. */
export type Open = (t: Test, schema: string) => Promise<[EngineClient, EngineClient]>

/** What holds for every table whose database makes the versions. */
export async function rowVersionCases (
  t: Test,
  name: string,
  table: VersionedTable,
  open: Open
): Promise<void> {
  await t.test(`${name}: conformance, with the claims that say what it lacks`, async (t) => {
    const clients = await open(t, table.schema)
    let stores = 0
    await conformanceSuite({
      test: (title, run) => t.test(title, run),
      list: false,
      replaced: false,
      digest: false,
      reusedKeys: table.outlivesRow,
      async createAdapter () {
        const store = `${++stores}:`
        let isCut = false
        const [first, second] = clients.map((client): EngineClient => ({
          async run (sql, values) {
            if (isCut) throw new Error('the connection is lost')
            return await client.run(sql, values)
          }
        }))
        return {
          adapter: itemsAdapter(first!, table, store),
          another: async () => itemsAdapter(second!, table, store),
          async cut () {
            isCut = true
            return async () => { isCut = false }
          }
        }
      }
    })
  })

  await t.test(`${name}: a change past the adapter moves the version, a lost answer is not proven, and the answer of a PUT is what is stored`, async (t) => {
    const [client, other] = await open(t, table.schema)
    const adapter = itemsAdapter(client, table)
    const created = await adapter.write('/offers/1', { title: 'a' }, ABSENT) as { version: string }
    await other.run("UPDATE items SET body = '  {\"title\":\"b\"}  '", [])
    t.match(await adapter.write('/offers/1', {}, versionIn(created.version)), {
      applied: false, current: { value: { title: 'b' } }
    })
    const lossy: EngineClient = {
      async run (sql, values) {
        const answer = await client.run(sql, values)
        if (!sql.startsWith('SELECT')) throw new Error('lost')
        return answer
      }
    }
    const writing = itemsAdapter(lossy, table).write('/offers/1', { title: 'c' }, EXISTS)
    await t.rejects(writing, { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    t.match(await adapter.read('/offers/1'), { value: { title: 'c' } })

    const app = newApp(t)
    await app.register(ifMatch, { storage: adapter })
    app.put('/offers/:id', { config: { ifMatch: true } }, async (request) =>
      (await request.entity<{ title: string }>().replace(request.body as { title: string })).value)
    const put = await send(app, 'PUT /offers/1', { 'if-match': '*' }, { title: 'd' })
    const stored = await adapter.read('/offers/1')
    t.strictSame([put.json(), put.headers.etag], [stored!.value, `"${stored!.version}"`])
    const again = await send(app, 'PUT /offers/1', { 'if-match': put.headers.etag }, { title: 'e' })
    t.equal(again.statusCode, 200, 'the tag of the answer is that of the row')
  })
}
