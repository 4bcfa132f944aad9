import { mock } from 'node:test'
import { inspect } from 'node:util'
import t from 'tap'
import type { ReadOptions, StorageAdapter } from '../../../../lib/storage/adapter.js'
import { InvalidValueError } from '../../../../lib/errors.js'
import {
  sqliteFault,
  sqlStateFault,
  statementsAdapter,
  type Row,
  type StatementsAdapterOptions
} from '../../../../lib/storage/statements/index.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../../support/expectations.js'
import { withoutPauses } from '../../../support/without-pauses.js'

interface Columns { n: number }
type Name = 'read' | 'update' | 'insert' | 'remove'
type Options = StatementsAdapterOptions<number, Columns, Table, string>

/** A table in this process. It notes each statement, and calls the test before and after it. */
class Table {
  readonly rows = new Map<string, Row<Columns>>()
  readonly sent: Name[] = []
  before: (name: Name) => void | Promise<void> = () => {}
  after: (name: Name) => void = () => {}

  async run<R> (name: Name, step: () => R): Promise<R> {
    this.sent.push(name)
    await this.before(name)
    const result = step()
    this.after(name)
    return result
  }

  // A write of another process.
  put (version = 'theirs', n = 0): void {
    this.rows.set('k', { n, version, replaced: null, digest: null })
  }
}

const statements: Omit<Options, 'client'> = {
  toId: (key) => key,
  toColumns (n) {
    if (typeof n !== 'number') throw new InvalidValueError('it is no number')
    return { n }
  },
  toValue: ({ n }) => n,
  read: async (table, id) => await table.run('read', () => table.rows.get(id) ?? null),
  update: async (table, id, row, versions) => await table.run('update', () => {
    const current = table.rows.get(id)
    if (current === undefined || versions?.includes(current.version) === false) return 0
    table.rows.set(id, { ...row, replaced: current.version })
    return 1
  }),
  insert: async (table, id, row) => await table.run('insert', () => {
    if (table.rows.has(id)) return 0
    table.rows.set(id, { ...row, replaced: null })
    return 1
  }),
  remove: async (table, id, versions) => await table.run('remove', () => {
    const current = table.rows.get(id)
    if (current === undefined || versions?.includes(current.version) === false) return 0
    return Number(table.rows.delete(id))
  })
}

/** A call of each operation. */
const allOf = (adapter: StorageAdapter<number>, options: ReadOptions): Array<Promise<unknown>> =>
  [adapter.read('k', options), adapter.write('k', 1, ANY, options), adapter.remove('k', EXISTS, options)]

function subject (more: Partial<Options> = {}) {
  const table = new Table()
  return { table, adapter: statementsAdapter({ ...statements, client: table, ...more }) }
}

await t.test('a write that applies is one statement, a refusal two, and a creation is told from a replacement', async (t) => {
  const { table, adapter } = subject()
  t.equal(await adapter.read('k'), undefined)
  const created = await adapter.write('k', 1, ABSENT, { digest: 'd' })
  t.match(created, { applied: true, created: true })
  const { version } = created as { version: string }
  t.strictSame(await adapter.read('k'), { value: 1, version, replaced: undefined, digest: 'd' })
  t.match(await adapter.write('k', 2, versionIn('x', version)), { applied: true, created: false })
  t.match(await adapter.read('k'), { value: 2, replaced: version, digest: undefined })
  t.match(await adapter.write('k', 3, ANY), { applied: true, created: false })
  t.match(await adapter.write('k', 4, EXISTS), { applied: true, created: false })
  t.match(await adapter.write('k', 5, versionIn(version)), { applied: false, current: { value: 4 } })
  t.match(await adapter.remove('k', versionIn(version)), { applied: false, current: { value: 4 } })
  t.match(await adapter.remove('k', EXISTS), { applied: true })
  t.match(await adapter.write('k', 6, ANY), { applied: true, created: true })
  t.strictSame(
    table.sent.join(),
    'read,insert,read,update,read,update,update,update,read,remove,read,remove,update,insert'
  )
})

await t.test('a writer that came in between is no reason to refuse: the write is tried again', async (t) => {
  const { table, adapter } = subject()
  table.before = () => {
    table.before = () => {}
    table.put()
  }
  table.after = (name) => { if (name === 'insert') table.rows.clear() }
  t.match(await adapter.write('k', 1, ABSENT), { applied: true, created: true })
  t.strictSame(table.sent, ['insert', 'read', 'insert'])
})

await t.test('each attempt has a row of its own, so what an ORM adds to one is not in the next', async (t) => {
  const keys: string[][] = []
  const { table, adapter } = subject({
    insert: (_, id, row) => {
      keys.push(Object.keys(row))
      Object.assign(row, { id })
      return keys.length - 1
    }
  })
  await adapter.write('k', 1, ABSENT)
  t.strictSame(keys, [['n', 'version', 'digest'], ['n', 'version', 'digest']])
  t.strictSame(table.sent, ['read'])
})

await t.test('a wrong key or value is refused before anything is sent', async (t) => {
  const { table, adapter } = subject({ toId: () => { throw new InvalidValueError('x') } })
  await t.rejects(adapter.read('k'), { code: 'FST_IF_MATCH_INVALID_VALUE' })
  await t.rejects(adapter.remove('k', EXISTS), { code: 'FST_IF_MATCH_INVALID_VALUE' })
  await t.rejects(subject().adapter.write('k', 'text' as unknown as number, ANY), {
    code: 'FST_IF_MATCH_INVALID_VALUE'
  })
  t.strictSame(table.sent, [])
})

await t.test('what toValue makes must be JSON, as what is written: a Date, a BigInt, NaN or nothing is NOT_JSON with its place, in a refusal, too', async (t) => {
  for (const [value, says] of [
    [{ due: [new Date(0)] }, 'has a Date at /due/0'],
    [{ price: 1n }, 'has a BigInt at /price'],
    [{ price: Infinity }, 'has an infinite number at /price'],
    [NaN, 'is NaN'],
    [undefined, 'is undefined']
  ] as const) {
    const { table, adapter } = subject({ toValue: () => value as unknown as number })
    table.put()
    for (const call of [adapter.read('k'), adapter.write('k', 1, ABSENT), adapter.remove('k', versionIn('old'))]) {
      const error = await call.then(() => undefined, (error: Error) => error)
      t.match(error, { code: 'FST_IF_MATCH_NOT_JSON', statusCode: 500 })
      t.ok(error!.message.includes(`: what toValue made ${says}. `), error!.message)
    }
    t.equal(table.rows.get('k')!.version, 'theirs')
  }
})

await t.test('a value that is not JSON never reaches toColumns, and one that is reaches it as a copy', async (t) => {
  const seen: unknown[] = []
  const { table, adapter } = subject({ toColumns (n) { seen.push(n); return { n } } })
  for (const value of [new Date(0), 1n, NaN, undefined]) {
    await t.rejects(adapter.write('k', value as unknown as number, ANY), { code: 'FST_IF_MATCH_NOT_JSON' })
  }
  t.strictSame([seen, table.sent], [[], []])
  const value = [1]
  await adapter.write('k', value as unknown as number, ANY)
  t.strictSame(seen, [[1]])
  t.not(seen[0], value)
})

await t.test('the signal stops statements that were not sent yet, also between two statements', async (t) => {
  const { table, adapter } = subject()
  const gone = { signal: AbortSignal.abort(new Error('nobody waits')) }
  for (const call of allOf(adapter, gone)) await t.rejects(call, { message: 'nobody waits' })
  t.strictSame(table.sent, [])
  const controller = new AbortController()
  table.after = () => { controller.abort(new Error('nobody waits')) }
  await t.rejects(adapter.write('k', 1, ANY, { signal: controller.signal }), { message: 'nobody waits' })
  t.strictSame(table.sent, ['update'])
})

await t.test('an empty list of versions never holds: no statement is sent for it, only the read of a refusal, and not even that if nobody waits', async (t) => {
  const { table, adapter } = subject()
  table.put()
  const gone = { signal: AbortSignal.abort(new Error('nobody waits')) }
  for (const call of [
    async (options: ReadOptions) => await adapter.write('k', 1, versionIn(), options),
    async (options: ReadOptions) => await adapter.remove('k', versionIn(), options)
  ]) {
    t.match(await call({}), { applied: false, current: { version: 'theirs' } })
    t.match(await call({ context: { client: new Table() } }), { applied: false, current: undefined })
    await t.rejects(call(gone), { message: 'nobody waits' })
  }
  t.strictSame(table.sent, ['read', 'read'])
})

await t.test('the client of the context is used; a context without a client is an error, and no write beside the transaction', async (t) => {
  const { table, adapter } = subject()
  const client = new Table()
  await adapter.write('k', 1, ABSENT, { context: { client } })
  t.match(await adapter.read('k', { context: { client } }), { value: 1 })
  await adapter.write('k', 2, EXISTS, { context: { client } })
  await adapter.remove('k', EXISTS, { context: { client } })
  t.strictSame(client.sent, ['insert', 'read', 'update', 'remove'])
  for (const context of [{ tx: client }, client, null, '', 'tx', { client: undefined }, { client: null }]) {
    for (const call of allOf(adapter, { context })) {
      await t.rejects(call, { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /\{ client \}/ })
    }
  }
  t.strictSame(table.sent, [])
})

const driver = Object.assign(new Error('of the driver'), { code: 'LOST' })
const orm = new Error('Failed query … params: secret', { cause: driver })
const failing = (table: Table, ...names: Name[]) => { table.before = (name) => { if (names.includes(name)) throw orm } }

const CALLS: Array<[Name, (adapter: StorageAdapter<number>) => Promise<unknown>]> = [
  ['update', async (adapter) => await adapter.write('k', 1, ANY)],
  ['insert', async (adapter) => await adapter.write('k', 1, ABSENT)],
  ['remove', async (adapter) => await adapter.remove('k', EXISTS)]
]

await t.test('read is asked for the newest row behind a write that matched nothing in a transaction of the app, and nowhere else', async (t) => {
  const asked: boolean[] = []
  const { table, adapter } = subject({
    read (table, id, { newest }) {
      asked.push(newest)
      return table.rows.get(id)
    }
  })
  table.put('theirs')
  const context = { client: table }
  const steps: Array<[options: ReadOptions, behindWrite: boolean]> = [[{}, false], [{ context }, true]]
  for (const [options, behindWrite] of steps) {
    asked.length = 0
    await adapter.read('k', options)
    await adapter.write('k', 1, versionIn('mine'), options)
    await adapter.write('k', 1, ABSENT, options)
    await adapter.remove('k', versionIn('mine'), options)
    t.strictSame(asked, [false, behindWrite, behindWrite, behindWrite])
  }
})

await t.test('a read that fails is an outage and no absence, also behind a write that matched nothing; its cause is the driver\'s error', async (t) => {
  const { table, adapter } = subject()
  failing(table, 'read')
  const calls: Array<() => Promise<unknown>> = [
    () => adapter.read('k'),
    () => adapter.write('k', 1, EXISTS),
    () => adapter.remove('k', EXISTS)
  ]
  for (const call of calls) await t.rejects(call(), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: driver })
  table.before = () => { throw new InvalidValueError('of the package') }
  await t.rejects(adapter.read('k'), { code: 'FST_IF_MATCH_INVALID_VALUE' })
})

await t.test('a write that fails is OUTCOME_UNKNOWN unless it is known to have left nothing, and is not sent again', async (t) => {
  for (const [name, call] of CALLS) {
    const unknown = subject()
    failing(unknown.table, name)
    await t.rejects(call(unknown.adapter), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: driver })
    t.equal(unknown.table.sent.filter((sent) => sent === name).length, 1)

    const seen: unknown[] = []
    const known = subject({
      faultOf (error) {
        seen.push(error)
        return new InvalidValueError('a constraint')
      }
    })
    failing(known.table, name)
    await t.rejects(call(known.adapter), { code: 'FST_IF_MATCH_INVALID_VALUE' })
    t.strictSame(seen, [driver])
    t.strictSame(known.table.sent, [name], 'nothing is proven of what left nothing')

    known.table.before = () => { throw new InvalidValueError('of the statement') }
    await t.rejects(call(known.adapter), { code: 'FST_IF_MATCH_INVALID_VALUE', message: /of the statement/ })
  }
})

await t.test('a write whose answer was lost counts as applied if the row proves it; nothing can prove a removal', async (t) => {
  for (const [name, call] of CALLS) {
    const { table, adapter } = subject()
    if (name !== 'insert') table.put()
    table.after = (sent) => { if (sent === name) throw orm }
    if (name === 'remove') {
      await t.rejects(call(adapter), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
      continue
    }
    const result = await call(adapter)
    t.match(result, { applied: true, created: name === 'insert', version: table.rows.get('k')!.version })
  }
})

await t.test('a write whose answer was lost is proven, and known as a creation or not, also if another writer replaced it since', async (t) => {
  for (const [name, call] of CALLS.slice(0, 2)) {
    const { table, adapter } = subject()
    if (name === 'update') table.put()
    table.after = (sent) => {
      if (sent !== name) return
      table.rows.set('k', { n: 9, version: 'later', replaced: table.rows.get('k')!.version, digest: null })
      throw orm
    }
    t.match(await call(adapter), { applied: true, created: name === 'insert' })
  }
})

await t.test('inside a transaction nothing is proven: its end is not known', async (t) => {
  const { table, adapter } = subject()
  table.after = () => { throw orm }
  await t.rejects(adapter.write('k', 1, ABSENT, { context: { client: table } }), {
    code: 'FST_IF_MATCH_OUTCOME_UNKNOWN',
    cause: driver
  })
  t.strictSame(table.sent, ['insert'])
})

await t.test('the read that looks for a lost write may take 2 seconds', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const { table, adapter } = subject()
  let reading = () => {}
  const isReading = new Promise<void>((resolve) => { reading = resolve })
  table.before = async (name) => {
    if (name !== 'read') return
    reading()
    await new Promise(() => {})
  }
  table.after = () => { throw orm }
  let isAnswered = false
  const writing = adapter.write('k', 1, ABSENT).finally(() => { isAnswered = true })
  await isReading
  mock.timers.tick(1999)
  await new Promise(setImmediate)
  t.notOk(isAnswered)
  mock.timers.tick(1)
  await t.rejects(writing, { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: driver })
})

await t.test('a count other than 0 and 1 is a fault of the server that says so, never a refusal of a write that was applied, and no outage', async (t) => {
  const rowless = Object.assign([], { count: 1 })
  for (const count of [undefined, null, 2, -1, NaN, true, '1', [{}, {}], [0], [null], [1], {}, rowless, []]) {
    const wrong = () => count as number
    const { adapter } = subject({ update: wrong, insert: wrong, remove: wrong })
    // No rows are an answer, but for a removal.
    for (const [, call] of Array.isArray(count) && !('count' in count) && count.length === 0 ? CALLS.slice(2) : CALLS) {
      await t.rejects(
        call(adapter),
        {
          code: 'FST_IF_MATCH_STORAGE_FAULT',
          statusCode: 500,
          message: /may have been applied/,
          cause: { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: /0 or 1|by RETURNING|version is not there/ }
        },
        inspect(count)
      )
    }
  }
})

class Conflict extends Error { readonly statusCode: number = 409 }

await t.test('an error of the app leaves the adapter as it is: from the mapping, from faultOf, and with a status of the client from a statement', async (t) => {
  const own = new Conflict('of the app', { cause: driver })
  const plain = new Error('of the app, for its own error handler')
  const give = (thrown: Error) => () => { throw thrown }
  for (const thrown of [own, plain, Object.assign(new Error(), { statusCode: 503 })]) {
    const { table, adapter } = subject({ toColumns: give(thrown) })
    await t.rejects(adapter.write('k', 1, ANY), thrown)
    for (const call of allOf(subject({ toId: give(thrown) }).adapter, {})) t.equal(await call.catch((e) => e), thrown)
    t.strictSame(table.sent, [])

    const known = subject({ faultOf: () => thrown })
    failing(known.table, 'update', 'insert', 'remove')
    for (const [, call] of CALLS) t.equal(await call(known.adapter).catch((error) => error), thrown)

    const unreadable = subject({ toValue: give(thrown) })
    unreadable.table.put()
    t.equal(await unreadable.adapter.read('k').catch((error) => error), thrown)
  }
  for (const thrown of [own, new Error('of an ORM', { cause: own })]) {
    const { table, adapter } = subject({ faultOf: () => { throw new Error('not asked') } })
    table.before = () => { throw thrown }
    for (const call of allOf(adapter, {})) t.equal(await call.catch((error) => error), own)
  }
})

await t.test('an error that the app has for a taken unique key goes out, unless the entity itself took it: that is a refusal', async (t) => {
  const own = new Conflict('the title is taken')
  for (const code of ['23505', 'SQLITE_CONSTRAINT_UNIQUE']) {
    for (const fault of [own, 'a text']) {
      const { table, adapter } = subject({ faultOf: () => fault as Error })
      table.before = (name) => { if (name === 'insert') throw Object.assign(new Error('taken'), { code }) }
      t.equal(await adapter.write('k', 1, ABSENT).catch((error) => error), fault)
      table.put()
      const refusal = { applied: false, current: { version: 'theirs' } }
      if (fault === own) t.match(await adapter.write('k', 1, ABSENT), refusal)
    }
  }
})

await t.test('a bug is a fault of the server with its cause: in the mapping, in a statement function, in faultOf', async (t) => {
  const bug = () => (undefined as unknown as { rows: number }).rows
  const isFault = async (call: Promise<unknown>, message: RegExp, what: string): Promise<void> => {
    const error = await call.then(() => undefined, (error: Error) => error)
    t.match(error, { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, message }, what)
    t.match(error!.cause, { name: 'TypeError', message: /rows/, stack: /bug/ }, what)
  }
  const write = async (more: Partial<Options>) => await subject(more).adapter.write('k', 1, ANY)
  await isFault(write({ toId: bug as never }), /toId\(\).*nothing was changed/, 'toId')
  await isFault(write({ toColumns: bug as never }), /toColumns\(\).*nothing was changed/, 'toColumns')
  for (const name of ['update', 'insert', 'remove'] as const) {
    const { table, adapter } = subject({
      async [name] (table: Table, ...rest: [never, never, never]) {
        await (statements[name] as (table: Table, ...rest: unknown[]) => unknown)(table, ...rest)
        return bug()
      }
    })
    if (name !== 'insert') table.put()
    await isFault(CALLS.find(([of]) => of === name)![1](adapter), /may have been applied/, name)
  }
  await isFault(subject({ read: bug as never }).adapter.read('k'), /a read failed/, 'read')
  const { table, adapter } = subject({ toValue: bug })
  table.put()
  await isFault(adapter.read('k'), /toValue\(\)/, 'toValue')
  const faulty = subject({ faultOf: bug as never })
  failing(faulty.table, 'insert')
  await isFault(faulty.adapter.write('k', 1, ABSENT), /may have been applied/, 'faultOf')
})

await t.test('a statement that the engine refuses as wrong is a fault of the server, with faultOf or without, and no row is looked for', async (t) => {
  const misspelt = new Error('Failed query … params: a secret', {
    cause: Object.assign(new Error('column "titel" does not exist'), { code: '42703' })
  })
  const reading: typeof CALLS[number] = ['read', async (adapter) => await adapter.read('k')]
  for (const more of [{}, { faultOf: () => undefined }, { faultOf: (error: unknown) => error as Error }]) {
    for (const [name, call] of [...CALLS, reading]) {
      const { table, adapter } = subject(more)
      table.before = () => { throw misspelt }
      const error = await call(adapter).then(() => undefined, (error: Error) => error)
      t.match(error, { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /nothing was changed/ })
      t.match((error as Error).cause, { message: /titel/ })
      t.notMatch(inspect(error), /secret/)
      t.strictSame(table.sent, [name])
    }
  }
})

await t.test('a forgotten result of the mapping is a fault of the server, and nothing is sent: no row without an id or content', async (t) => {
  for (const made of [undefined, null, Promise.resolve({ n: 1 })]) {
    for (const name of ['toId', 'toColumns'] as const) {
      const { table, adapter } = subject({ [name]: () => made })
      await t.rejects(adapter.write('k', 1, ANY), {
        code: 'FST_IF_MATCH_STORAGE_FAULT',
        message: new RegExp(`${name}\\(\\)`),
        cause: { code: 'FST_IF_MATCH_INVALID_ADAPTER', message: new RegExp(`${name}\\(\\)`) }
      })
      t.strictSame(table.sent, [])
    }
  }
})

const coded = (code: string) => Object.assign(new Error(`simulated ${code}`), { code })

await t.test('outside a transaction a serialization failure, a deadlock and the lock of SQLite are tried again; inside one each is CONTENTION at once', async (t) => {
  withoutPauses(t)
  for (const [code, faultOf] of [
    ['40001', sqlStateFault], ['40P01', sqlStateFault], ['SQLITE_BUSY', sqliteFault]
  ] as const) {
    const reads = async (adapter: StorageAdapter<number>, options?: ReadOptions) => await adapter.read('k', options)
    const calls: Array<[Name, (adapter: StorageAdapter<number>, options?: ReadOptions) => Promise<unknown>]> = [
      ['update', async (adapter, options) => await adapter.write('k', 1, EXISTS, options)],
      ['insert', async (adapter, options) => await adapter.write('k', 1, ABSENT, options)],
      ['remove', async (adapter, options) => await adapter.remove('k', EXISTS, options)],
      ['read', reads]
    ]
    for (const [name, call] of calls) {
      let failures = 3
      const { table, adapter } = subject({ faultOf })
      if (name !== 'insert') table.put()
      table.before = () => { if (failures-- > 0) throw coded(code) }
      t.match(await call(adapter), name === 'read' ? { version: 'theirs' } : { applied: true }, `${code} in ${name}`)
      t.strictSame(table.sent, [name, name, name, name])

      failures = Infinity
      table.sent.length = 0
      const last = code === 'SQLITE_BUSY' ? 'STORAGE_UNAVAILABLE' : 'CONTENTION'
      await t.rejects(call(adapter), { code: `FST_IF_MATCH_${last}`, cause: {} })
      t.equal(table.sent.length, 16)

      table.sent.length = 0
      await t.rejects(call(adapter, { context: { client: table } }), {
        code: 'FST_IF_MATCH_CONTENTION', message: / 1 attempts/
      })
      t.equal(table.sent.length, 1)
    }
  }
})

/** A table whose database makes the versions, by a counter; `returning` makes what the statements give of the row. */
function counting (returning: (row: Row<Columns, number>) => object = ({ version }) => ({ version })) {
  const rows = new Map<string, Row<Columns, number>>()
  const fits = (id: string, versions?: readonly string[]) =>
    rows.has(id) && versions?.includes(String(rows.get(id)!.version)) !== false
  const store = (id: string, { n }: Columns): never[] => {
    rows.set(id, { n: n * 2, version: (rows.get(id)?.version ?? 0) + 1 })
    return [returning(rows.get(id)!)] as never[]
  }
  return {
    rows,
    statements: {
      read: async (table, id) => await table.run('read', () => rows.get(id)),
      update: async (table, id, row, versions) =>
        await table.run('update', () => fits(id, versions) ? store(id, row) : []),
      insert: async (table, id, row) => await table.run('insert', () => rows.has(id) ? [] : store(id, row)),
      remove: async (table, id, versions) =>
        await table.run('remove', () => fits(id, versions) ? Number(rows.delete(id)) : 0)
    } satisfies Partial<Options>
  }
}

await t.test('a version that the database makes is what a write answers with, and what is compared as text; nothing of replaced and digest is missed', async (t) => {
  const { adapter, table } = subject(counting().statements)
  t.strictSame(await adapter.write('k', 1, ABSENT, { digest: 'd' }), { applied: true, version: '1', created: true })
  t.strictSame(await adapter.read('k'), { value: 2, version: '1', replaced: undefined, digest: undefined })
  t.strictSame(await adapter.write('k', 2, ABSENT), {
    applied: false, current: { value: 2, version: '1', replaced: undefined, digest: undefined }
  })
  t.strictSame(await adapter.write('k', 2, versionIn('1')), { applied: true, version: '2', created: false })
  t.match(await adapter.write('k', 3, versionIn('1')), { applied: false, current: { version: '2' } })
  t.strictSame(await adapter.write('k', 3, ANY), { applied: true, version: '3', created: false })
  t.strictSame(await adapter.write('k', 3, EXISTS), { applied: true, version: '4', created: false })
  t.strictSame(await adapter.remove('k', versionIn('4')), { applied: true })
  t.strictSame(await adapter.write('k', 4, ANY), { applied: true, version: '1', created: true })
  t.strictSame(
    table.sent.join(), 'insert,read,insert,read,update,update,read,update,update,remove,update,insert'
  )
})

await t.test('a statement that gives the whole row answers with the value that is stored; one that gives a part of it, with the version alone', async (t) => {
  const whole = subject(counting((row) => row).statements).adapter
  t.strictSame(await whole.write('k', 1, ABSENT), { applied: true, version: '1', created: true, value: 2 })
  t.strictSame(await whole.write('k', 4, versionIn('1')), { applied: true, version: '2', created: false, value: 8 })
  const part = subject(counting(({ version }) => ({ version, id: 'k', replaced: null })).statements).adapter
  t.strictSame(await part.write('k', 1, ABSENT), { applied: true, version: '1', created: true })
})

await t.test('read gives a version as number, bigint or text, and replaced too; a Date or no version is a fault of the server, and no tag', async (t) => {
  const { table, adapter } = subject()
  for (const [version, text] of [
    [7, '7'], [7n, '7'], ['2026-02-03 04:05:06.123456', '2026-02-03T04:05:06.123456']
  ] as const) {
    table.rows.set('k', { n: 1, version, replaced: version } as never)
    t.match(await adapter.read('k'), { version: text, replaced: text })
  }
  for (const row of [{ version: new Date() }, {}, { version: null }, { version: '1', replaced: new Date() }]) {
    table.rows.set('k', { n: 1, ...row } as never)
    const fault = { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { code: 'FST_IF_MATCH_INVALID_ADAPTER' } }
    await t.rejects(adapter.read('k'), { ...fault, message: /a read failed/ })
    await t.rejects(adapter.write('k', 1, ABSENT), fault)
  }
})

await t.test('a write that was applied is never told as not applied: a Date, a value that toValue refuses, and a version that stayed are STORAGE_FAULT', async (t) => {
  const refuses = () => { throw new Conflict('of toValue') }
  const cases: Array<[Partial<Options>, RegExp]> = [
    [counting(() => ({ version: new Date() })).statements, /a Date, which has milliseconds alone/],
    [{ ...counting((row) => row).statements, toValue: refuses }, /of toValue/],
    [{ ...counting((row) => row).statements, toValue: () => NaN }, /what toValue made is NaN/],
    [{ update: () => [{ version: 1 }] }, /its version stayed/]
  ]
  for (const [statements, says] of cases) {
    const { table, adapter } = subject(statements)
    const call = 'insert' in statements ? adapter.write('k', 1, ABSENT) : adapter.write('k', 1, versionIn('1'))
    await t.rejects(call, {
      code: 'FST_IF_MATCH_STORAGE_FAULT', message: /may have been applied/, cause: { message: says }
    })
    t.notOk(table.sent.includes('read'), 'it is no refusal')
  }
  const { adapter } = subject({ update: () => [{ version: 1 }] })
  t.match(await adapter.write('k', 1, versionIn('0', '1')), { applied: true, version: '1' }, 'either may have been it')
})

await t.test('nothing proves a write whose answer was lost where the database makes the version, unless the row has the version that was sent', async (t) => {
  for (const [name, call] of CALLS.slice(0, 2)) {
    const { table, adapter } = subject(counting().statements)
    if (name === 'update') await adapter.write('k', 1, ABSENT)
    table.after = (sent) => { if (sent === name) throw orm }
    await t.rejects(call(adapter), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: driver })
    t.equal(table.sent.filter((sent) => sent === name).length, 1)
    t.equal(table.sent.at(-1), 'read')
  }
  for (const [name, call] of CALLS.slice(0, 2)) {
    // A row without `replaced`: the statement that was sent tells a creation from a replacement.
    const { table, adapter } = subject({
      read: async (table, id) => await table.run('read', () => {
        const { replaced, digest, ...row } = table.rows.get(id)!
        return row
      })
    })
    if (name === 'update') table.put()
    table.after = (sent) => { if (sent === name) throw orm }
    const { version } = await call(adapter) as { version: string }
    t.equal(version, table.rows.get('k')!.version)
    t.match(await adapter.read('k'), { version, replaced: undefined, digest: undefined })
    table.after = (sent) => {
      if (sent !== name) return
      table.rows.set('k', { n: 9, version: 'later', replaced: table.rows.get('k')!.version, digest: null })
      throw orm
    }
    if (name === 'insert') table.rows.clear()
    await t.rejects(call(adapter), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }, 'somebody wrote since')
  }
})

await t.test('without insert nothing is created: a write that would says what to do, and one that would not is as ever', async (t) => {
  const { insert, ...rest } = statements
  const table = new Table()
  const adapter = statementsAdapter<number, Columns, Table, string>({ ...rest, client: table })
  const refused = { code: 'FST_IF_MATCH_INVALID_OPTIONS', statusCode: 500, message: /no "insert".*create: false/ }
  await t.rejects(adapter.write('k', 1, ABSENT), refused)
  await t.rejects(adapter.write('k', 1, ANY), refused)
  t.match(await adapter.write('k', 1, EXISTS), { applied: false, current: undefined })
  t.match(await adapter.write('k', 1, versionIn('x')), { applied: false, current: undefined })
  table.put()
  t.match(await adapter.write('k', 1, ABSENT), { applied: false, current: { version: 'theirs' } })
  t.match(await adapter.write('k', 1, ANY), { applied: true, created: false })
  t.match(await adapter.write('k', 2, EXISTS), { applied: true, created: false })
  t.equal(table.sent.join(), 'read,update,read,update,read,update,read,read,update,update')
})

await t.test('wrong options are refused at boot: a missing function, no client, an unknown option', async (t) => {
  const refused = (message: RegExp) => ({ code: 'FST_IF_MATCH_INVALID_OPTIONS', message })
  for (const name of ['toId', 'toColumns', 'toValue', 'read', 'update', 'remove']) {
    t.throws(() => subject({ [name]: undefined }), refused(new RegExp(`"${name}" must be a function\\.`)))
  }
  for (const name of ['insert', 'faultOf']) {
    t.throws(() => subject({ [name]: 'sqlite' as never }), refused(new RegExp(`"${name}" must be a function, if`)))
    t.throws(() => subject({ [name]: null as never }), refused(new RegExp(`"${name}" must be a function, if`)))
  }
  for (const client of [undefined, null]) {
    t.throws(() => subject({ client } as never), refused(/"client" must be the client/))
  }
  t.throws(() => subject({ faultsOf: () => {} } as never), refused(/no option "faultsOf"\. Did you mean "faultOf"/))
  t.throws(() => subject({ list: () => [] } as never), refused(/no option "list"\. Use "client", "toId",/))
  t.throws(() => subject({ client: Promise.resolve(new Table()) } as never), refused(/"client" is a promise. Await it/))
  t.throws(() => statementsAdapter(undefined as never), refused(/"client"/))
})
