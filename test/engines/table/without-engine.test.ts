import { Type } from '@sinclair/typebox'
import t from 'tap'
import { isSameDecimal } from '../../../lib/storage/table/decimal.js'
import { dialectOf } from '../../../lib/storage/table/engines.js'
import { migration, tableAdapter } from '../../../lib/storage/table/index.js'
import { kindOfSchema } from '../../../lib/storage/table/kind.js'
import { nameOf } from '../../../lib/storage/table/moves.js'
import { mysql } from '../../../lib/storage/table/mysql.js'

const INVALID = { code: 'FST_IF_MATCH_INVALID_OPTIONS' }

await t.test('table: wrong options are refused, naming the option', async (t) => {
  const client = { query () {} }
  const columns = Type.Object({ title: Type.String() })
  const good = { client, table: 'offers', id: 'id', version: 'v', columns }
  tableAdapter(good)
  const n = Type.Optional(Type.Union([Type.Integer(), Type.Null()]))
  const wrong: Array<[object, RegExp]> = [
    [{ client: undefined }, /"client"/], [{ client: Promise.resolve(client) }, /promise/],
    [{ client: {} }, /"dialect"/], [{ dialect: 'oracle' }, /"dialect"/],
    [{ table: '' }, /"table"/], [{ table: 'a.b.c' }, /"table"/], [{ table: 'x'.repeat(64) }, /"table"/],
    [{ table: ['a\0'] }, /"table"/], [{ table: undefined }, /"table"/],
    [{ id: [] }, /"id"/], [{ id: '' }, /"id"/], [{ id: undefined }, /"id"/], [{ id: 5 }, /"id"/],
    [{ id: Type.Object({ id: Type.Boolean() }) }, /"id" must be of texts/],
    [{ id: Type.Object({ id: Type.Union([Type.String(), Type.Null()]) }) }, /"id" must be of texts/],
    [{ version: undefined }, /"version"/], [{ version: { column: 'v', kind: 'clock' } }, /kind of "version"/],
    [{ version: { column: 'v', kind: 'trigger' }, dialect: 'sqlite' }, /PostgreSQL alone/],
    [{ version: { column: 'v', kind: 'counter' }, dialect: 'mysql' }, /MariaDB/],
    [{ columns: undefined }, /"columns"/], [{ columns: Type.String() }, /"columns"/],
    [{ columns: Type.Object({ id: Type.String() }) }, /a property that is written/],
    [{ columns: Type.Object({ v: Type.String() }) }, /two of its columns are one/],
    [{ columns: Type.Object({ n }) }, /"n" may be null and may be left out/],
    [{ names: { titel: 'x' } }, /"titel"/],
    [{ key: 5 }, /"key"/], [{ key: '/offers/:offer' }, /"key" must have the parameters/],
    [{ key: '/:tenant/offers/:id' }, /"key" must have the parameters/], [{ key: '/offers/:id-:id' }, /pattern/],
    [{ replaced: '' }, /"replaced"/], [{ digest: 5 }, /"digest"/],
    [{ deleted: '' }, /"deleted"/], [{ deleted: {} }, /"deleted"/],
    [{ deleted: { column: 'd', kind: 'soft' } }, /kind of "deleted"/],
    [{ insert: 'no' }, /"insert"/], [{ tabel: 'x' }, /"tabel"/]
  ]
  for (const [option, message] of wrong) {
    t.throws(() => tableAdapter({ ...good, ...option } as never), { ...INVALID, message }, String(message))
  }
  t.throws(() => tableAdapter(undefined as never), INVALID)
  const made = Type.Optional(Type.Union([Type.Integer(), Type.Null()], { readOnly: true }))
  tableAdapter({ ...good, columns: Type.Object({ title: Type.String(), made }) })
})

await t.test('table: wrong options of a migration are refused, naming the option', async (t) => {
  const good = { dialect: 'postgres' as const, table: 'orders', id: ['a', 'b'], version: 'v' }
  migration(good)
  const lines = { table: 'lines', references: ['x', 'y'] }
  migration({ ...good, children: [lines] })
  const wrong: Array<[object, RegExp]> = [
    [{ dialect: undefined }, /"dialect"/], [{ client: {} }, /"client"/], [{ addColumns: 'no' }, /"addColumns"/],
    [{ children: [{ ...lines, references: 'x' }] }, /"children"/],
    [{ children: [{ ...lines, table: 'a.b.c' }] }, /"children"/],
    [{ children: [{ ...lines, table: undefined }] }, /"children"/], [{ children: 'lines' }, /"children"/],
    [{ children: [{ ...lines, references: ['x', ''] }] }, /"children"/],
    [{ version: { column: 'v', kind: 'trigger' } }, /trigger is yours/]
  ]
  for (const [option, message] of wrong) {
    t.throws(() => migration({ ...good, ...option } as never), { ...INVALID, message }, String(message))
  }
  t.throws(() => migration(undefined as never), INVALID)
})

await t.test('table: the parent of a child table in another schema keeps its schema, and two children of one table have triggers of their own', async (t) => {
  const sql = migration({
    dialect: 'postgres',
    table: 'shop.orders',
    id: 'id',
    version: 'v',
    addColumns: false,
    children: [{ table: 'stock.lines', references: 'a' }, { table: ['li.nes'], references: 'b' }]
  }).join('\n')
  t.match(sql, 'ON "stock"."lines"')
  t.match(sql, 'ON "shop"."li.nes"')
  t.match(sql, 'UPDATE "shop"."orders" SET')
  t.match(sql, /TRIGGER "lines_a_orders_version"[^]*TRIGGER "li.nes_b_orders_version"/)
  const [one, other] = ['a', 'b'].map((end) => nameOf('x'.repeat(70), end))
  t.not(one, other)
  t.ok(one!.length <= 56 && /^x+_[0-9a-f]{8}$/.test(one!))
})

await t.test('table: the dialect is told by the methods of a client', async (t) => {
  const method = (): void => {}
  t.equal(dialectOf({ query: method }), 'postgres')
  t.equal(dialectOf({ query: method, exec: method }), 'postgres')
  t.equal(dialectOf({ query: method, execute: method, prepare: method }), 'mysql')
  t.equal(dialectOf({ prepare: method, exec: method }), 'sqlite')
  for (const client of [{}, null, undefined, 'postgres', { execute: method }]) t.equal(dialectOf(client), undefined)
})

await t.test('table: the kind of a column is that of its schema: types in unions, lists of constants and nullable', async (t) => {
  const kinds: Array<[object, object]> = [
    [Type.String(), { type: 'text', isNullable: false, isUuid: false, values: undefined }],
    [Type.String({ format: 'uuid', maxLength: 36 }), { type: 'text', isUuid: true, longest: 36 }],
    [Type.Union([Type.Null(), Type.String({ maxLength: 5 })]), { type: 'text', isNullable: true, longest: 5 }],
    [
      Type.Union([Type.Literal('a'), Type.Literal('b'), Type.Null()]),
      { type: 'text', isNullable: true, values: ['a', 'b'] }
    ],
    [{ minLength: 1 }, { type: 'json' }],
    [{ const: 'a' }, { type: 'text', values: ['a'] }],
    [{ enum: ['a', null] }, { type: 'text', isNullable: true, values: ['a'] }],
    [{ type: 'string', enum: ['a'] }, { type: 'text', values: ['a'] }],
    [{ type: ['integer', 'null'] }, { type: 'integer', isNullable: true }],
    [{ type: 'boolean', nullable: true }, { type: 'boolean', isNullable: true }],
    [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, { type: 'number', decimals: undefined }],
    [Type.Number({ multipleOf: 0.05 }), { type: 'number', decimals: 2 }],
    [Type.Number({ multipleOf: 1e-7 }), { decimals: 7 }], [Type.Number({ multipleOf: 5 }), { decimals: 0 }],
    [Type.Union([Type.Literal(1), Type.Literal(2)]), { type: 'number', values: undefined }],
    [Type.Union([Type.String(), Type.Integer()]), { type: 'json', isNullable: false }],
    [Type.Union([Type.Array(Type.String()), Type.Null()]), { type: 'json', isNullable: true }],
    [Type.Unknown(), { type: 'json', isNullable: false }], [Type.Null(), { type: 'json', isNullable: true }],
    [Type.Union([Type.Unknown(), Type.Null()]), { type: 'json', isNullable: false }],
    [Type.Intersect([Type.Object({}), Type.Object({})]), { type: 'json' }]
  ]
  for (const [schema, kind] of kinds) t.match(kindOfSchema(schema as never), kind, JSON.stringify(schema))
})

await t.test('table: an id that a function of the key gives must be of its type, and a property of a UUID has one spelling', async (t) => {
  const sent: unknown[] = []
  const client = { query: async (_text: string, values: unknown[]) => { sent.push(values); return { rows: [] } } }
  const columns = Type.Object({ other: Type.String({ format: 'uuid' }), left: Type.Optional(Type.Unknown()) })
  const adapter = tableAdapter({
    client, table: 'x', id: Type.Object({ n: Type.Integer() }), version: 'v', columns, key: (key) => JSON.parse(key)
  })
  for (const key of ['{}', '5', 'null', '{"n":"5"}', '{"n":1.5}']) {
    await t.rejects(adapter.read(key), { code: 'FST_IF_MATCH_INVALID_KEY', message: /"n"/ })
  }
  t.equal(await adapter.read('{"n":5}'), undefined)
  t.strictSame(sent, [[5]])
  const other = '0190163D-8694-739b-aea5-966c26f8ad91'
  const refused = { code: 'FST_IF_MATCH_INVALID_VALUE', message: /UUID/ }
  await t.rejects(adapter.write('{"n":5}', { other }, { kind: 'any' }), refused)
})

await t.test('table: a row whose columns hold what the driver should not give is 500, for each type', async (t) => {
  for (const [schema, column] of [
    [Type.String(), 5], [Type.Integer(), 'x'], [Type.Integer(), true], [Type.Integer(), ' '], [Type.Number(), 'NaN'],
    [Type.Boolean(), 'yes'], [Type.Array(Type.Integer()), 5], [Type.String(), null]
  ] as const) {
    const client = { query: async () => ({ rows: [{ version: 'a', c0: column }] }) }
    const columns = Type.Object({ title: schema })
    const adapter = tableAdapter({ client, table: 'x', id: 'id', version: 'v', columns })
    await t.rejects(adapter.read('/x/1'), { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message: /"title"/ } })
  }
})

await t.test('table: the answers of mysql2 and of mariadb are told apart', async (t) => {
  const answer = async (given: unknown) => await mysql.run({ execute: async () => given }, { text: '', values: [] })
  const rows = [{ a: 1 }]
  t.strictSame(await answer([rows, []]), { rows, changed: 0 })
  const ofMariadb = Object.assign([...rows], { meta: [] })
  t.strictSame(await answer(ofMariadb), { rows: ofMariadb, changed: 0 })
  t.strictSame(await answer([{ affectedRows: 1 }, undefined]), { rows: [], changed: 1 })
  t.strictSame(await answer({ affectedRows: 1n }), { rows: [], changed: 1 })
})

await t.test('table: two texts of one number are the same decimal, and what is none is like nothing', async (t) => {
  const same = [
    ['1.10', '1.1'], ['-0', '0'], ['1e21', '1000000000000000000000'], ['.5', '0.5'], ['5.', '5'], ['1E-7', '0.0000001']
  ]
  for (const [a, b] of same) {
    t.ok(isSameDecimal(a!, b!), `${a} ${b}`)
  }
  const others = [
    ['1', '2'], ['1', '-1'], ['1', '10'], ['9007199254740993', '9007199254740992'], ['NaN', 'NaN'], ['', ''],
    ['.', '.'], ['0x1', '1']
  ]
  for (const [a, b] of others) {
    t.notOk(isSameDecimal(a!, b!), `${a} ${b}`)
  }
})
