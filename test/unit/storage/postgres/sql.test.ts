import t from 'tap'
import { quoteName } from '../../../../lib/storage/kit/sql-name.js'
import {
  batchStatement,
  createTableSql,
  quotedTable,
  statementsOn,
  type Statement
} from '../../../../lib/storage/postgres/sql.js'

const flat = (statements: object): Statement[] =>
  Object.values(statements).flatMap((value: Statement | object) => ('text' in value ? [value] : flat(value)))

await t.test('postgres: names are quoted, whatever characters they have', async (t) => {
  t.equal(quoteName('a "b"; --'), '"a ""b""; --"')
  const table = quotedTable({ schema: 'a.b', table: 'c"d', columns: { key: 'k"' } })
  t.strictSame(table, {
    name: '"a.b"."c""d"',
    columns: { key: '"k"""', version: '"version"', replaced: '"replaced"', digest: '"digest"', value: '"value"' }
  })
  t.match(
    createTableSql({ schema: 'a.b', table: 'c"d', columns: { key: 'k"' } }),
    /^CREATE TABLE IF NOT EXISTS "a.b"."c""d" \("k""" text COLLATE "C" PRIMARY KEY, /
  )
})

await t.test('postgres: the table orders keys by bytes, keeps texts as they are, and leaves room for updates', async (t) => {
  t.equal(
    createTableSql(),
    'CREATE TABLE IF NOT EXISTS "entities" ("key" text COLLATE "C" PRIMARY KEY, "version" text NOT NULL, ' +
      '"replaced" text, "digest" text, "value" json NOT NULL) WITH (fillfactor = 70)'
  )
})

await t.test('postgres: a statement that changes rows bounds its wait on the server, except in a transaction of the app', async (t) => {
  for (const { text } of flat(statementsOn(quotedTable({}), 700))) {
    const isChange = /INSERT|UPDATE|DELETE/.test(text)
    t.equal(text.includes("set_config('lock_timeout', '700', true)"), isChange, text)
    // The statement needs the row of the bound, so no planner can leave the bound out or put it off.
    t.equal(
      /bound AS MATERIALIZED .* (FROM|USING) bound WHERE .* bound\.is_set IS NOT NULL/.test(text),
      isChange,
      text
    )
  }
  for (const { text } of flat(statementsOn(quotedTable({}), 0))) t.notMatch(text, /set_config/)
})

await t.test('postgres: a batch waits for a locked row for a moment at most, and without a bound as long as it takes', async (t) => {
  for (const [lockTimeout, bound] of [[700, 100], [50, 50]] as const) {
    const { text } = batchStatement(quotedTable({}), lockTimeout, 2)
    t.match(text, `WITH bound AS MATERIALIZED (SELECT set_config('lock_timeout', '${bound}', true) AS is_set)`)
    t.match(text, 'AND (SELECT is_set FROM bound) IS NOT NULL')
  }
  t.notMatch(batchStatement(quotedTable({}), 0, 2).text, /bound|set_config/)
})

await t.test('postgres: a statement has a name of its own, of at most 63 bytes, and another text has another one', async (t) => {
  const all = [
    statementsOn(quotedTable({}), 700),
    statementsOn(quotedTable({}), 800),
    statementsOn(quotedTable({ table: 'others' }), 700)
  ].flatMap(flat)
  const names = new Map(all.map(({ name, text }) => [text, name!]))
  t.equal(new Set(names.values()).size, names.size)
  for (const name of names.values()) t.match(name, /^if_match_.{1,54}$/)
  t.strictSame(statementsOn(quotedTable({}), 700), statementsOn(quotedTable({}), 700))
})
