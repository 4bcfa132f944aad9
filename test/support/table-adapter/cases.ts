import { Type, type TObject } from '@sinclair/typebox'
import type { Test } from 'tap'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import {
  migration,
  tableAdapter,
  type TableAdapterOptions
} from '../../../lib/storage/table/index.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../expectations.js'
import { newApp } from '../offers-app.js'
import { uniqueName } from '../services/service.js'
import { quoted, TYPES, type TableEngine } from './engine.js'

const INVALID = { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422 }
const REFUSED = { code: 'FST_IF_MATCH_INVALID_ADAPTER' }

/** The version of a write that must have been applied. */
async function versionOf (result: Promise<{ applied: boolean, version?: string }>): Promise<string> {
  const { applied, version } = await result
  if (!applied) throw new Error('not applied')
  return version!
}

/** What holds for tables on every engine, beside the conformance suite. */
export async function tableCases (t: Test, name: string, engine: TableEngine): Promise<void> {
  const { dialect, client, run, rows } = engine
  const types = TYPES[dialect]

  // A table of this test, and an adapter of it. `sql` has the columns besides the id and the version.
  async function subject<S extends TObject> (
    sql: string,
    columns: S,
    more: Partial<TableAdapterOptions<S>> = {},
    id = `id ${types.id} PRIMARY KEY`
  ) {
    const table = uniqueName()
    await run(`CREATE TABLE ${table} (${id}, ${sql})`)
    const options = { client, table, id: 'id', version: 'row_version', columns, key: '/offers/:id', ...more }
    const adapter = tableAdapter<S>(options)
    for (const statement of adapter.migration()) await run(statement)
    await adapter.open()
    return { adapter, table, options }
  }

  const OFFER = Type.Object({ title: Type.String(), price: Type.Integer(), published: Type.Boolean() })
  const OFFER_SQL = `title ${types.short} NOT NULL, price integer NOT NULL, published ${types.boolean} NOT NULL`
  const wave = { title: 'Wave', price: 1900, published: false }
  const KEY = '/offers/wave'

  function offersApp (t: Test, storage: StorageAdapter<any>, path = '/offers/:id') {
    const app = newApp(t)
    void app.register(ifMatch, { storage })
    void app.register(async (app) => {
      const config = { ifMatch: { key: path } }
      app.get(path, { config }, async (request) => (await request.entity().read()).value)
      app.put(path, { config }, async (request, reply) => {
        const { value, created } = await request.entity().replace(request.body)
        return await reply.code(created ? 201 : 200).send(value)
      })
      app.delete(path, { config }, async (request, reply) => {
        await request.entity().remove()
        return await reply.code(204).send()
      })
    })
    type Method = 'GET' | 'PUT' | 'DELETE'
    return async (method: Method, url: string, headers: Record<string, string> = {}, payload?: object) =>
      await app.inject({ method, url, headers, ...payload && { payload } })
  }

  await t.test(`${name}: a row is made, read, changed and removed under its versions; a stale one is refused with the row as it is`, async (t) => {
    const { adapter, table } = await subject(OFFER_SQL, OFFER)
    const first = await versionOf(adapter.write(KEY, wave, ABSENT))
    t.strictSame(await adapter.read(KEY), { value: wave, version: first, replaced: undefined, digest: undefined })
    const second = await versionOf(adapter.write(KEY, { ...wave, published: true }, versionIn('x', first)))
    t.not(first, second)
    t.match(await adapter.write(KEY, wave, versionIn(first)), {
      applied: false, current: { version: second, value: { ...wave, published: true } }
    })
    t.match(await adapter.write(KEY, wave, ABSENT), { applied: false, current: { version: second } })
    t.match(await adapter.remove(KEY, versionIn(first)), { applied: false, current: { version: second } })
    t.strictSame(await rows(`SELECT id, title, price FROM ${table}`), [{ id: 'wave', title: 'Wave', price: 1900 }])
    t.strictSame(await adapter.remove(KEY, versionIn(second)), { applied: true })
    t.strictSame(await adapter.remove(KEY, EXISTS), { applied: false, current: undefined })
    t.not(await versionOf(adapter.write(KEY, wave, ANY)), first)
  })

  await t.test(`${name}: a change past the adapter moves the version, and drops the digest; the trigger leaves alone what the adapter writes`, async (t) => {
    const { adapter, table } = await subject(OFFER_SQL, OFFER, { replaced: 'was', digest: 'digest' })
    const first = await versionOf(adapter.write(KEY, wave, ABSENT, { digest: 'd' }))
    t.match(await adapter.read(KEY), { version: first, replaced: undefined, digest: 'd' })
    await run(`UPDATE ${table} SET price = 1 WHERE id = 'wave'`)
    const changed = await adapter.read(KEY)
    t.match(changed, { value: { price: 1 }, replaced: first, digest: undefined })
    t.not(changed!.version, first)
    t.match(await adapter.write(KEY, wave, versionIn(first)), { applied: false })
    const second = await versionOf(adapter.write(KEY, wave, versionIn(changed!.version)))
    t.match(await adapter.read(KEY), { version: second, replaced: changed!.version })
    const yes = dialect === 'postgres' ? 'true' : '1'
    await run(`INSERT INTO ${table} (id, title, price, published) VALUES ('past', 'Past', 1, ${yes})`)
    t.match((await adapter.read('/offers/past'))?.version, /^[\w-]{16,}$/)
  })

  await t.test(`${name}: a job that inserts, changes or deletes a child row between GET and PUT is 412, for both parents if it moves the child`, async (t) => {
    const order = Type.Object({ customer: Type.String() })
    const { adapter, table } = await subject(`customer ${types.short} NOT NULL`, order, { key: '/orders/:id' })
    const lines = uniqueName()
    await run(`CREATE TABLE ${lines} (id integer PRIMARY KEY, order_id ${types.id}, n integer)`)
    const triggers = adapter.migration({ children: [{ table: lines, references: 'order_id' }], addColumns: false })
    // They may be made again.
    for (const statement of [...triggers, ...triggers]) await run(statement)
    const send = offersApp(t, adapter, '/orders/:id')
    const etags = async () => await Promise.all(
      ['a', 'b'].map(async (id) => (await send('GET', `/orders/${id}`)).headers.etag as string)
    )
    for (const id of ['a', 'b']) {
      t.equal((await send('PUT', `/orders/${id}`, { 'if-none-match': '*' }, { customer: id })).statusCode, 201)
    }
    const jobs: Array<[string, number[]]> = [
      [`INSERT INTO ${lines} VALUES (1, 'a', 1)`, [412, 200]],
      [`UPDATE ${lines} SET n = 2`, [412, 200]],
      [`UPDATE ${lines} SET order_id = 'b'`, [412, 412]],
      [`DELETE FROM ${lines}`, [200, 412]],
      [`INSERT INTO ${lines} VALUES (2, NULL, 1)`, [200, 200]]
    ]
    for (const [job, expected] of jobs) {
      const [a, b] = await etags()
      await run(job)
      const statuses = [
        (await send('PUT', '/orders/a', { 'if-match': a! }, { customer: 'a' })).statusCode,
        (await send('PUT', '/orders/b', { 'if-match': b! }, { customer: 'b' })).statusCode
      ]
      t.strictSame(statuses, expected, job)
    }
    await run(`INSERT INTO ${lines} VALUES (3, 'a', 1)`)
    t.equal((await send('DELETE', '/orders/a', { 'if-match': '*' })).statusCode, 204)
    t.strictSame(await rows(`SELECT id FROM ${table}`), [{ id: 'b' }])
  })

  await t.test(`${name}: what the database makes is read and shown, never written; a representation that was read, changed and sent back is accepted, but not with the id of another`, async (t) => {
    const columns = Type.Object({
      id: Type.String(),
      price: Type.Integer(),
      twice: Type.Integer({ readOnly: true }),
      vendor: Type.String({ readOnly: true })
    })
    const { adapter, table } = await subject(
      `price integer NOT NULL, twice ${types.generated} (price * 2) STORED, ` +
        `vendor ${types.short} NOT NULL DEFAULT 'acme'`,
      columns
    )
    const send = offersApp(t, adapter)
    const made = await send('PUT', KEY, { 'if-none-match': '*' }, { price: 1 })
    t.strictSame([made.statusCode, made.json()], [201, { id: 'wave', price: 1, twice: 2, vendor: 'acme' }])
    const read = await send('GET', KEY)
    t.strictSame(read.json(), made.json())
    const put = await send('PUT', KEY, { 'if-match': read.headers.etag as string }, { ...read.json(), price: 5 })
    t.strictSame([put.statusCode, put.json()], [200, { id: 'wave', price: 5, twice: 10, vendor: 'acme' }])
    await run(`UPDATE ${table} SET vendor = 'contoso'`)
    const late = await send('PUT', KEY, { 'if-match': '*' }, { ...put.json(), price: 6 })
    t.strictSame(late.json(), { id: 'wave', price: 6, twice: 12, vendor: 'contoso' }, 'the answer shows what is stored')
    for (const headers of [{ 'if-match': '*' }, { 'if-none-match': '*' }]) {
      const url = 'if-match' in headers ? KEY : '/offers/new'
      const other = await send('PUT', url, headers as never, { ...read.json(), id: 'other' })
      t.match(other.json(), { ...INVALID, message: /"id"/ })
    }
  })

  await t.test(`${name}: every type comes back as it went in, null as NULL, a property that is not there as NULL, and JSON as JSON`, async (t) => {
    const columns = Type.Object({
      text: Type.String(),
      whole: Type.Integer(),
      double: Type.Number(),
      money: Type.Number({ multipleOf: 0.01 }),
      flag: Type.Boolean(),
      none: Type.Union([Type.String(), Type.Null()]),
      left: Type.Optional(Type.Boolean()),
      list: Type.Array(Type.Integer()),
      nested: Type.Union([Type.Object({ a: Type.String() }), Type.Null()]),
      state: Type.Union([Type.Literal('draft'), Type.Literal('live')])
    })
    const { adapter, table } = await subject(
      `text ${types.text} NOT NULL, whole ${types.number} NOT NULL, ` +
        `${quoted(dialect, 'double')} ${types.double} NOT NULL, money ${types.money} NOT NULL, ` +
        `flag ${types.boolean} NOT NULL, none ${types.text}, ${quoted(dialect, 'left')} ${types.boolean}, ` +
        `list ${types.json} NOT NULL, nested ${types.json}, state ${types.short} NOT NULL`,
      columns
    )
    const values = [
      {
        text: '',
        whole: 0,
        double: 0,
        money: 0,
        flag: false,
        none: null,
        left: true,
        list: [],
        nested: null,
        state: 'draft' as const
      },
      {
        text: ' é\u{1f600}\'"\\;-- ',
        whole: Number.MAX_SAFE_INTEGER,
        double: 0.1,
        money: 12345678.9,
        flag: true,
        none: 'null',
        list: [1, 2],
        nested: { a: '"' },
        state: 'live' as const
      },
      {
        text: '1',
        whole: -Number.MAX_SAFE_INTEGER,
        double: 5e-324,
        money: -0.01,
        flag: true,
        none: '',
        left: false,
        list: [3],
        nested: { a: '\\' },
        state: 'live' as const
      },
      ...[1.7976931348623157e308, 1 / 3].map((double) => ({
        text: '0',
        whole: 5,
        money: 1.1,
        flag: true,
        none: '0',
        list: [0],
        nested: null,
        double,
        state: 'live' as const
      }))
    ]
    for (const value of values) {
      const result = await adapter.write(KEY, value, ANY)
      t.strictSame((await adapter.read(KEY))!.value, value)
      if (result.applied && result.value !== undefined) t.strictSame(result.value, value)
    }
    const isNull = `${quoted(dialect, 'left')} IS NULL AND nested IS NULL`
    const nulls = await rows(`SELECT count(*) AS n FROM ${table} WHERE ${isNull}`)
    t.equal(Number((nulls[0] as { n: number }).n), 1)
  })

  await t.test(`${name}: a value that the columns would change, drop or refuse is 422 that names the property, and nothing is stored`, async (t) => {
    const columns = Type.Object({
      title: Type.String({ maxLength: 20 }),
      price: Type.Integer(),
      money: Type.Optional(Type.Number({ multipleOf: 0.01 })),
      state: Type.Optional(Type.Union([Type.Literal('draft'), Type.Literal('live')])),
      flag: Type.Optional(Type.Boolean())
    })
    const { adapter, table } = await subject(
      `title ${types.short} NOT NULL, price integer NOT NULL CHECK (price >= 0), money ${types.money}, ` +
        `state ${types.short}, flag ${types.boolean}`,
      columns
    )
    const good = { title: 'Wave', price: 1 }
    const wrong: Array<[unknown, RegExp]> = [
      [5, /no object/], [[], /no object/], [null, /no object/],
      [{ ...good, vendor: 'x' }, /"vendor"/], [{ ...good, ['x'.repeat(99)]: 1 }, /x{64}…"/],
      [{ ...good, constructor: 1 }, /"constructor"/], [JSON.parse('{"__proto__":1}'), /"__proto__"/],
      [{ title: 'Wave' }, /"price"/], [{ ...good, title: 5 }, /"title"/], [{ ...good, title: null }, /"title"/],
      [{ ...good, title: 'a\0b' }, /"title"/], [{ ...good, title: '\ud800' }, /"title"/],
      [{ ...good, title: 'x'.repeat(21) }, /"title"/],
      [{ ...good, price: '1' }, /"price"/], [{ ...good, price: 1.5 }, /"price"/],
      [{ ...good, price: 2 ** 53 }, /"price"/],
      [{ ...good, price: true }, /"price"/], [{ ...good, money: 0.001 }, /"money"/],
      [{ ...good, money: '1' }, /"money"/],
      [{ ...good, state: 'gone' }, /"state"/], [{ ...good, flag: 1 }, /"flag"/], [{ ...good, flag: null }, /"flag"/],
      [{ ...good, price: -1 }, /column or a constraint/]
    ]
    for (const [value, message] of wrong) {
      await t.rejects(adapter.write(KEY, value as never, ANY), { ...INVALID, message }, JSON.stringify(value))
    }
    t.strictSame(await rows(`SELECT id FROM ${table}`), [])
    t.match(await adapter.write(KEY, { ...good, title: '\u{1f600}'.repeat(20) }, ANY), { applied: true })
  })

  await t.test(`${name}: names of tables, columns and properties may have any characters, and get into no statement unquoted`, async (t) => {
    const odd = ['a"b', 'back`tick', "quo'te", 'select', 'two words', '$1', '?', 'é', 'semi;--']
    const columns = Type.Object(Object.fromEntries(odd.map((property) => [property, Type.String()])))
    const table = `od"d\` ${uniqueName()}`
    const q = (column: string): string => quoted(dialect, column)
    const others = odd.map((column) => `${q(column)} ${types.text}`).join(', ')
    await run(`CREATE TABLE ${q(table)} (${q('the "id`')} ${types.id} PRIMARY KEY, ${others})`)
    const adapter = tableAdapter({
      client,
      table: [table],
      id: 'id',
      names: { id: 'the "id`' },
      version: 'the "version`',
      columns,
      key: '/odd/:id',
      replaced: 'was "it`'
    })
    for (const statement of adapter.migration()) await run(statement)
    await adapter.open()
    const value = Object.fromEntries(odd.map((property) => [property, `'; DROP TABLE ${property}; --`]))
    const version = await versionOf(adapter.write('/odd/x', value, ABSENT))
    t.match(await adapter.read('/odd/x'), { version, value })
    await run(`UPDATE ${q(table)} SET ${q('select')} = 'x'`)
    t.match(await adapter.read('/odd/x'), { replaced: version, value: { ...value, select: 'x' } })
    t.match(await adapter.remove('/odd/x', EXISTS), { applied: true })
  })

  await t.test(`${name}: an id of several columns, with numbers: each key is one row, and another spelling of a number is no key`, async (t) => {
    const columns = Type.Object({ n: Type.Integer() })
    const { adapter, table } = await subject(
      'PRIMARY KEY (line_no, order_id)',
      columns,
      {
        id: Type.Object({ order: Type.String(), line: Type.Integer() }),
        key: '/orders/:order/lines/:line',
        names: { order: 'order_id', line: 'line_no' }
      },
      `order_id ${types.id} NOT NULL, line_no ${types.number} NOT NULL, n integer NOT NULL`
    )
    await adapter.write('/orders/a%2Fb/lines/7', { n: 1 }, ABSENT)
    t.match(await adapter.write('/orders/a%2Fb/lines/8', { n: 2 }, ABSENT), { applied: true })
    t.match(await adapter.write('/orders/a%2Fb/lines/7', { n: 3 }, ABSENT), { applied: false })
    const found = await rows(`SELECT order_id, line_no, n FROM ${table} ORDER BY line_no`)
    t.strictSame(found.map((row) => Object.values(row as object).map(String).join()), ['a/b,7,1', 'a/b,8,2'])
    const line = '/orders/a%2Fb/lines/'
    for (const key of [`${line}07`, `${line}x`, '/orders/a%2fb/lines/7', '/orders/a/b/lines/7', '/other']) {
      await t.rejects(adapter.read(key), { code: 'FST_IF_MATCH_INVALID_KEY' }, key)
    }
    t.equal(await adapter.read('/orders/a/lines/9007199254740991'), undefined)
    const version = (await adapter.read('/orders/a%2Fb/lines/8'))!.version
    await run(`UPDATE ${table} SET n = 5 WHERE line_no = 7`)
    t.equal((await adapter.read('/orders/a%2Fb/lines/8'))!.version, version, 'the trigger moves one row')
  })

  const kinds = dialect === 'mysql' ? ['token' as const] : ['token' as const, 'counter' as const]
  for (const kind of kinds) {
    await t.test(`${name}: a row that is marked as deleted is no entity; a creation takes the mark off, under a version that never was (${kind})`, async (t) => {
      for (const deleted of ['gone_at', { column: 'gone', kind: 'flag' as const }]) {
        const { adapter, table } = await subject(
          `${OFFER_SQL}, gone_at ${types.time} NULL, gone ${types.boolean} NULL`,
          OFFER,
          { deleted, version: { column: 'row_version', kind }, replaced: 'was' }
        )
        const seen = new Set<string>()
        for (let round = 0; round < 3; round++) {
          const version = await versionOf(adapter.write(KEY, { ...wave, price: round }, round === 1 ? ANY : ABSENT))
          t.match(await adapter.read(KEY), { version, value: { price: round }, replaced: undefined })
          t.match(await adapter.write(KEY, wave, ABSENT), { applied: false, current: { version } })
          t.notOk(seen.has(version))
          seen.add(version)
          t.strictSame(await adapter.remove(KEY, versionIn(version)), { applied: true })
          t.equal(await adapter.read(KEY), undefined)
          t.strictSame(await adapter.remove(KEY, EXISTS), { applied: false, current: undefined })
          t.strictSame(await adapter.write(KEY, wave, versionIn(version)), { applied: false, current: undefined })
          t.strictSame(await adapter.write(KEY, wave, EXISTS), { applied: false, current: undefined })
          t.equal((await rows(`SELECT id FROM ${table}`)).length, 1)
          const stored = await rows(`SELECT row_version AS v FROM ${table}`) as Array<{ v: unknown }>
          t.not(String(stored[0]!.v), version, 'the mark moves the version')
        }
        const results = await Promise.all(Array.from({ length: 16 }, async (_, index) =>
          await adapter.write(KEY, { ...wave, price: index }, ABSENT)))
        t.equal(results.filter(({ applied }) => applied).length, 1)
        const winner = results.findIndex(({ applied }) => applied)
        t.match((await adapter.read(KEY))?.value, { price: winner })
      }
    })
  }

  if (kinds.length > 1) {
    await t.test(`${name}: a counter is read, compared and moved, by the adapter and by the trigger; a tag that is no number fits nothing`, async (t) => {
      const version = { column: 'row_version', kind: 'counter' as const }
      const { adapter, table } = await subject(OFFER_SQL, OFFER, { version })
      t.match(await adapter.write(KEY, wave, ANY), { applied: true, version: '1', created: true })
      t.match(await adapter.write(KEY, wave, versionIn('1')), { applied: true, version: '2', created: false })
      t.match(await adapter.write(KEY, wave, EXISTS), { applied: true, version: '3' })
      await run(`UPDATE ${table} SET price = 2`)
      t.match(await adapter.read(KEY), { version: '4' })
      for (const versions of [['x'], ['4x'], ['04'], ['4.0'], ['1', '3']]) {
        t.match(await adapter.write(KEY, wave, versionIn(...versions)), { applied: false, current: { version: '4' } })
        t.match(await adapter.remove(KEY, versionIn(...versions)), { applied: false, current: { version: '4' } })
      }
      t.match(await adapter.write(KEY, wave, versionIn('y', '4')), { applied: true, version: '5' })
      t.strictSame(await adapter.remove(KEY, versionIn('5')), { applied: true })
    })

    await t.test(`${name}: a job that writes the whole row with the counter that it read brings no version back`, async (t) => {
      const version = { column: 'row_version', kind: 'counter' as const }
      const { adapter, table } = await subject(OFFER_SQL, OFFER, { version, replaced: 'was' })
      for (const price of [1, 2]) await adapter.write(KEY, { ...wave, price }, ANY)
      await run(`UPDATE ${table} SET price = 3, row_version = 1`)
      t.match(await adapter.read(KEY), { version: '3', replaced: '2', value: { price: 3 } })
      t.match(await adapter.write(KEY, wave, versionIn('1')), { applied: false })
      await run(`UPDATE ${table} SET price = 4, row_version = 9`)
      t.match(await adapter.read(KEY), { version: '9' })
    })
  }

  await t.test(`${name}: of 16 writers with one tag over two clients one is applied, and of 16 that create one`, async (t) => {
    for (const kind of kinds) {
      const { adapter, options } = await subject(OFFER_SQL, OFFER, { version: { column: 'row_version', kind } })
      const adapters = [adapter, tableAdapter({ ...options, client: engine.other })]
      let version: string | undefined
      for (let round = 0; round < 3; round++) {
        const expectation = version === undefined ? ABSENT : versionIn(version)
        const results = await Promise.all(Array.from({ length: 16 }, async (_, index) =>
          await adapters[index % 2]!.write(KEY, { ...wave, price: index }, expectation)))
        const winners = results.flatMap((result, index) => result.applied ? [{ index, version: result.version }] : [])
        t.equal(winners.length, 1)
        version = winners[0]!.version
        t.match(await adapter.read(KEY), { version, value: { price: winners[0]!.index } })
        for (const result of results) if (!result.applied) t.match(result.current, { version })
      }
    }
  })

  await t.test(`${name}: a unique key that is taken is 409 and changes nothing; a creation that meets its own row is refused with it`, async (t) => {
    const { adapter } = await subject(`${OFFER_SQL}, UNIQUE (title)`, OFFER)
    await adapter.write(KEY, wave, ABSENT)
    t.match(await adapter.write(KEY, { ...wave, title: 'Other' }, ABSENT), { applied: false, current: { value: wave } })
    for (const expectation of [ABSENT, ANY]) {
      const taken = { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409 }
      await t.rejects(adapter.write('/offers/other', wave, expectation), taken)
    }
    t.equal(await adapter.read('/offers/other'), undefined)
    t.match(await adapter.write(KEY, { ...wave, price: 1 }, ANY), { applied: true, created: false })
  })

  await t.test(`${name}: with a client of "context" the operations are part of its transaction, and rolled back with it`, async (t) => {
    const { adapter } = await subject(OFFER_SQL, OFFER)
    const version = await versionOf(adapter.write(KEY, wave, ABSENT))
    await engine.rolledBack(async (tx) => {
      const context = { client: tx }
      t.match(await adapter.write(KEY, { ...wave, price: 1 }, versionIn(version), { context }), { applied: true })
      t.match(await adapter.read(KEY, { context }), { value: { price: 1 } })
      t.match(await adapter.write('/offers/new', wave, ABSENT, { context }), { applied: true, created: true })
      t.match(await adapter.remove(KEY, EXISTS, { context }), { applied: true })
    })
    t.match(await adapter.read(KEY), { version, value: wave })
    t.equal(await adapter.read('/offers/new'), undefined)
  })

  await t.test(`${name}: where the database makes the ids, nothing is created by a write: insert: false`, async (t) => {
    const { adapter } = await subject(OFFER_SQL, OFFER, { insert: false })
    for (const expectation of [ABSENT, ANY]) {
      const refused = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /insert/ }
      await t.rejects(adapter.write(KEY, wave, expectation), refused)
    }
    t.strictSame(await adapter.write(KEY, wave, EXISTS), { applied: false, current: undefined })
  })

  await t.test(`${name}: a stored number that JavaScript would round, a NULL and JSON that is none are 500, and never changed by a read and a write`, async (t) => {
    const columns = Type.Object({ n: Type.Integer(), j: Type.Array(Type.Integer()) })
    const { adapter, table } = await subject(`n ${types.number}, j ${types.text}`, columns)
    const wrong = [['big', '9007199254740993', "'[]'"], ['null', 'NULL', "'[]'"], ['json', '1', "'[a secret'"]] as const
    for (const [id, n, j] of wrong) {
      await run(`INSERT INTO ${table} (id, n, j) VALUES ('${id}', ${n}, ${j})`)
      const error = await adapter.read(`/offers/${id}`).then(() => undefined, (error: Error) => error)
      t.match(error, { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500 }, id)
      t.notMatch(String((error?.cause as Error | undefined)?.message), /secret|900719/)
    }
  })

  await t.test(`${name}: the boot refuses a table that cannot keep what is said of it, and says what to do`, async (t) => {
    const refusal = async (sql: string, more: object, message: RegExp): Promise<void> => {
      const table = uniqueName()
      if (sql !== '') await run(`CREATE TABLE ${table} (${sql})`)
      const adapter = tableAdapter({
        client, table, id: 'id', version: 'v', columns: Type.Object({ title: Type.String() }), ...more
      })
      await t.rejects(adapter.open(), { ...REFUSED, message })
    }
    const id = `id ${types.id} PRIMARY KEY`
    const v = 'v varchar(64) NOT NULL'
    const title = `title ${types.text}`
    const count = Type.Object({ title: Type.Integer() })
    await refusal('', {}, /there is none/)
    await refusal(`${id}, ${title}`, {}, /no column v\./)
    await refusal(`${id}, ${v}`, {}, /no column title\./)
    await refusal(`id ${types.id} NOT NULL, ${v}, ${title}`, {}, /no primary key or unique index/)
    await refusal(`${id}, v varchar(64), ${title}`, {}, /v, .* takes NULL/)
    await refusal(`${id}, v integer NOT NULL, ${title}`, {}, /v, integer|v, int/i)
    for (const kind of kinds.slice(1)) {
      await refusal(`${id}, ${v}, ${title}`, { version: { column: 'v', kind } }, /whole numbers/)
    }
    await refusal(`${id}, ${v}, ${title}`, { columns: count }, /title, .* would change or refuse a integer/)
    await refusal(`${id}, ${v}, title integer`, {}, /title, .* would change or refuse a text/)
    await refusal(`id integer PRIMARY KEY, ${v}, ${title}`, {}, /id, .* cannot be the id/)
    await refusal(`${id}, ${v}, ${title}`, { id: Type.Object({ id: Type.Integer() }) }, /id, .* cannot be the id/)
    await refusal(`${id}, ${v}, ${title}`, { digest: 'd' }, /no column d\./)
    await refusal(`${id}, ${v}, ${title}, d integer`, { digest: 'd' }, /d, .* is no column of texts/)
    // A text of SQLite has no bound, whatever its type says.
    if (dialect !== 'sqlite') {
      await refusal(`${id}, ${v}, ${title}, d varchar(254)`, { digest: 'd' }, /takes 254 .* a digest has up to 255/)
    }
    await refusal(`${id}, ${v}, ${title}, d ${types.time} NOT NULL`, { deleted: 'd' }, /d, .* takes no NULL/)
    await refusal(`${id}, ${v}, ${title}, d ${types.boolean}`, { deleted: 'd' }, /d, .* is a flag/)
    const flag = { deleted: { column: 'd', kind: 'flag' } }
    await refusal(`${id}, ${v}, ${title}, d ${types.text}`, flag, /d, .* no boolean/)
    await refusal(`${id}, ${v}, ${title}, other integer NOT NULL`, {}, /other takes no NULL/)
    await refusal(
      `${id}, ${v}, price integer, title ${types.generated} (price * 2) STORED`,
      { columns: Type.Object({ title: Type.Integer(), price: Type.Integer() }) },
      /title, .* made by the database/
    )
    const fail = () => { throw new Error('gone') }
    const broken = { query: async () => fail(), execute: async () => fail(), prepare: fail }
    const lost = tableAdapter({ client: broken, dialect, table: 'x', id: 'id', version: 'v', columns: count })
    await t.rejects(lost.open(), { ...REFUSED, message: /cannot look at it/, cause: { message: 'gone' } })
  })

  await t.test(`${name}: a row that comes in between two statements of the migration has a version at its end`, async (t) => {
    const table = uniqueName()
    await run(`CREATE TABLE ${table} (id ${types.id} PRIMARY KEY)`)
    const statements = migration({ dialect, table, id: 'id', version: 'v', replaced: 'was', digest: 'digest' })
    for (const [index, statement] of statements.entries()) {
      await run(statement)
      await run(`INSERT INTO ${table} (id) VALUES ('${index}')`)
    }
    t.strictSame(await rows(`SELECT id FROM ${table} WHERE v = ''`), [])
  })

  await t.test(`${name}: a table, a version and a child table with dollars in their names`, async (t) => {
    const table = `a$$ $q$ ${uniqueName()}`
    const q = (column: string): string => quoted(dialect, column)
    await run(`CREATE TABLE ${q(table)} (id ${types.id} PRIMARY KEY)`)
    await run(`CREATE TABLE ${q(`${table} l`)} (parent ${types.id})`)
    const children = [{ table: [`${table} l`], references: 'parent' }]
    for (const sql of migration({ dialect, table: [table], id: 'id', version: 'v$$', children })) await run(sql)
    await run(`INSERT INTO ${q(table)} (id) VALUES ('a')`)
    const [before] = await rows(`SELECT * FROM ${q(table)}`)
    await run(`INSERT INTO ${q(`${table} l`)} VALUES ('a')`)
    t.notSame((await rows(`SELECT * FROM ${q(table)}`))[0], before)
  })

  await t.test(`${name}: a property and an id may be called like what every object has`, async (t) => {
    const table = uniqueName()
    const [id, title] = ['constructor', 'toString'].map((column) => quoted(dialect, column))
    await run(`CREATE TABLE ${table} (${id} ${types.id} PRIMARY KEY, ${title} integer)`)
    const columns = Type.Object({ constructor: Type.String() as never, toString: Type.Integer() as never })
    const options = { client, table, id: 'constructor', version: 'v', columns, key: '/x/:constructor' }
    const adapter = tableAdapter(options)
    for (const sql of adapter.migration()) await run(sql)
    await adapter.open()
    t.match(await adapter.write('/x/a', { toString: 5 } as never, ANY), { applied: true })
    t.strictSame({ ...(await adapter.read('/x/a'))!.value as object }, { constructor: 'a', toString: 5 } as never)
    await t.rejects(adapter.write('/x/a', {} as never, ANY), { ...INVALID, message: /"toString" is missing/ })
  })

  await t.test(`${name}: a primary key that is not the id, and is taken, is 409`, async (t) => {
    const columns = Type.Object({ no: Type.Integer() })
    const { adapter } = await subject('no integer PRIMARY KEY', columns, {}, `id ${types.id} UNIQUE`)
    await adapter.write(KEY, { no: 1 }, ABSENT)
    for (const expectation of [ABSENT, ANY]) {
      const taken = { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409 }
      await t.rejects(adapter.write('/offers/other', { no: 1 }, expectation), taken)
    }
    t.match(await adapter.write(KEY, { no: 1 }, ABSENT), { applied: false, current: { value: { no: 1 } } })
  })

  if (dialect !== 'sqlite') {
    await t.test(`${name}: an id or a text that is longer than its column is refused, also if the rest is spaces, which the engine cuts off`, async (t) => {
      const id = dialect === 'mysql' ? 'varchar(3) COLLATE utf8mb4_nopad_bin' : 'varchar(3)'
      const columns = Type.Object({ title: Type.String({ maxLength: 99 }), note: Type.Optional(Type.String()) })
      const { adapter, table } =
        await subject('title varchar(3), note varchar(3)', columns, {}, `id ${id} PRIMARY KEY`)
      const invalid = { code: 'FST_IF_MATCH_INVALID_KEY', message: /longer than 3/ }
      await t.rejects(adapter.write('/offers/abc%20', { title: 'a' }, ABSENT), invalid)
      for (const value of [{ title: 'abc ' }, { title: 'a', note: 'abc ' }]) {
        await t.rejects(adapter.write('/offers/abc', value, ABSENT), { ...INVALID, message: /longer than 3/ })
      }
      t.strictSame(await rows(`SELECT id FROM ${table}`), [])
      t.match(await adapter.write('/offers/ab%20', { title: 'ab ' }, ABSENT), { applied: true })
      t.match((await adapter.read('/offers/ab%20'))?.value, { title: 'ab ' })
    })
  }

  await t.test(`${name}: migration() prints the same as the method`, async (t) => {
    const options = { table: 'shop.offers', id: 'id', version: 'v' }
    const children = [{ table: 'lines', references: 'offer_id' }]
    const adapter = tableAdapter({ client, columns: OFFER, ...options })
    t.strictSame(adapter.migration({ children }), migration({ ...options, dialect, children }))
  })
}
