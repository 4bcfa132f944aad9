import { mock } from 'node:test'
import t from 'tap'
import ifMatch, { errorCodes, type Expectation, type TransactionAdapter } from 'fastify-if-match'
import {
  transactionsAdapter,
  type KeptWrite,
  type LastWrite,
  type TransactionsAdapterOptions
} from 'fastify-if-match/storage/transactions'
import { barrier } from '../../support/barrier.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../support/expectations.js'
import { newApp } from '../../support/offers-app.js'
import { withoutPauses } from '../../support/without-pauses.js'

/** One row, as a transaction sees it. */
interface Tx { row: { version: number, value: unknown } | undefined }
type Options = TransactionsAdapterOptions<unknown, Tx, Tx>

/** How the app's function runs a transaction of an engine of one row: what the ORM does, right or wrong. */
type Transaction = (work: (tx: Tx) => Promise<unknown>, commit: (tx: Tx) => void, store: Tx) => Promise<unknown>

const properly: Transaction = async (work, commit, store) => {
  const tx = { ...store }
  const result = await work(tx)
  commit(tx)
  return result
}

/** An adapter over that engine, whose transactions are run by these functions, and then properly. */
function adapterOf (transactions: Transaction[] = [], options: Partial<Options> = {}) {
  const store: Tx = { row: { version: 1, value: 'stored' } }
  let begun = 0
  const adapter: TransactionAdapter = transactionsAdapter<unknown, Tx, Tx>({
    client: store,
    transaction: async (work) => {
      const run = transactions[begun++] ?? properly
      return await run(work, (tx) => Object.assign(store, tx), store)
    },
    toId: (key) => key,
    version: (tx) => tx.row?.version,
    read: (client) => client.row,
    save: (tx, _id, value) => { tx.row = { version: (tx.row?.version ?? 0) + 1, value } },
    remove: (tx) => { tx.row = undefined },
    ...options
  })
  return { adapter, store, begun: () => begun }
}

const write = async (adapter: TransactionAdapter, expectation: Expectation = EXISTS) =>
  await adapter.write('k', 'written', expectation)
const failing = (error: unknown): Transaction => async () => { throw error }
const failingAtCommit = (error: unknown, commits = false): Transaction => async (work, commit, store) => {
  const tx = { ...store }
  await work(tx)
  if (commits) commit(tx)
  throw error
}
const stateOf = (code: string, more: object = {}) => Object.assign(new Error('of the driver'), { code, ...more })
const mistake = new TypeError('x is not a function')

const atBegin: Record<string, [error: unknown, outcome: object]> = {
  'no connection': [new Error('no connection'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', statusCode: 503 }],
  'a disk that fails': [stateOf('SQLITE_IOERR'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }],
  'a wrong password': [stateOf('28P01'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }],
  'an error of the app': [Object.assign(new Error('quota'), { statusCode: 429 }), { message: 'quota' }],
  'a bug': [mistake, { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /nothing was changed/, cause: mistake }]
}
for (const [name, [error, outcome]] of Object.entries(atBegin)) {
  await t.test(`a transaction that does not begin was certainly not applied: ${name}`, async (t) => {
    const { adapter, store } = adapterOf([failing(error)])
    t.match(await write(adapter).catch((error: unknown) => error), outcome)
    t.match(store.row, { value: 'stored' })
  })
}

const atCommit: Record<string, [error: unknown, outcome: object]> = {
  'a lost connection': [new Error('gone'), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', statusCode: 503 }],
  'a lost connection, and an ORM that tells of the ROLLBACK behind it, which was not sent': [
    new Error('Client has encountered a connection error and is not queryable'),
    { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }
  ],
  'an ORM that tells of a ROLLBACK that found no transaction': [
    stateOf('SQLITE_ERROR'),
    { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /may have been applied/ }
  ],
  'a server that goes down': [stateOf('57P01'), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }],
  'a disk that fails': [stateOf('SQLITE_IOERR'), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }],
  'a bug behind it': [mistake, { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /may have been applied/ }],
  'a 409 of the app, which is no answer of the engine': [
    Object.assign(new Error('hook'), { statusCode: 409 }),
    { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' }
  ],
  'a deferred constraint': [stateOf('23503'), { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409 }],
  'an error that an ORM wrapped': [
    new Error('Failed query: values', { cause: stateOf('23503') }),
    { code: 'FST_IF_MATCH_CONSTRAINT' }
  ]
}
for (const [name, [error, outcome]] of Object.entries(atCommit)) {
  await t.test(`an error at COMMIT alone tells what became of it: ${name}`, async (t) => {
    const { adapter, begun } = adapterOf([failingAtCommit(error, true)])
    t.match(await write(adapter).catch((error: unknown) => error), outcome)
    t.equal(begun(), 1, 'nothing is sent again')
  })
}

await t.test('a serialization failure or a busy file, at any stage, runs the whole again; the work starts from what is there then', async (t) => {
  withoutPauses(t)
  for (const error of [stateOf('40001'), stateOf('40P01'), stateOf('SQLITE_BUSY_SNAPSHOT')]) {
    const inWork: Transaction = async (work, _commit, store) => {
      store.row = { version: 7, value: 'of another' }
      await work(new Proxy({ ...store }, { set () { throw error } }))
    }
    const { adapter, store, begun } = adapterOf([failing(error), inWork, failingAtCommit(error)])
    t.match(await write(adapter), { applied: true, version: '8', created: false })
    t.equal(begun(), 4)
    t.strictSame(store.row, { version: 8, value: 'written' })
  }
})

await t.test('conflicts without an end are CONTENTION after 16 attempts, a file that stays busy is UNAVAILABLE', async (t) => {
  withoutPauses(t)
  for (const [state, code] of [['40001', 'CONTENTION'], ['SQLITE_BUSY', 'STORAGE_UNAVAILABLE']] as const) {
    const { adapter, begun } = adapterOf(Array(20).fill(failing(stateOf(state))))
    await t.rejects(write(adapter), { code: `FST_IF_MATCH_${code}` })
    t.equal(begun(), 16)
  }
})

await t.test('a creation that meets a unique key looks again: an entity that is there by then refuses it', async (t) => {
  withoutPauses(t)
  const meets: Transaction = async (work, _commit, store) => {
    await work({ row: undefined }).catch(() => {})
    store.row = { version: 5, value: 'of another' }
    throw stateOf('23505')
  }
  const save = (tx: Tx) => { if (tx.row === undefined) throw stateOf('23505') }
  const { adapter, store } = adapterOf([meets], { save })
  store.row = undefined
  t.match(await write(adapter, ABSENT), { applied: false, current: { value: 'of another' } })
})

await t.test('a unique key that a creation meets each time is of other rows: CONSTRAINT after 4; of a change it is at once', async (t) => {
  withoutPauses(t)
  const { adapter, store, begun } = adapterOf([], { save: () => { throw stateOf('23505') } })
  await t.rejects(write(adapter), { code: 'FST_IF_MATCH_CONSTRAINT' })
  t.equal(begun(), 1)
  store.row = undefined
  await t.rejects(write(adapter, ABSENT), { code: 'FST_IF_MATCH_CONSTRAINT' })
  t.equal(begun(), 5)
})

await t.test('an error of the work that nothing knows is the app\'s, unless the transaction does not answer any more: UNAVAILABLE', async (t) => {
  const declined = new Error('the card was declined')
  const { adapter } = adapterOf()
  await t.rejects(adapter.transaction('k', EXISTS, async () => { throw declined }), declined)
  let isLost = false
  let message = 'the connection is lost'
  const { adapter: lost, store } = adapterOf([], {
    version: (tx) => {
      if (isLost) throw new Error(message)
      return tx.row?.version
    },
    save: () => {
      isLost = true
      throw new Error('the connection is lost')
    }
  })
  await t.rejects(write(lost), {
    code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
    cause: { message: 'the connection is lost' }
  })
  t.match(store.row, { value: 'stored' })
  isLost = false
  message = 'Client has encountered a connection error and is not queryable'
  await t.rejects(write(lost), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' }, 'as pg tells of it behind the first error')
})

await t.test('a transaction that does not answer within its bound is lost, too', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  let asked = 0
  const version = (tx: Tx) => ++asked === 1 ? tx.row?.version : new Promise<number>(() => {})
  const failed = barrier()
  const save = () => {
    failed.open()
    throw new Error('no answer')
  }
  const { adapter } = adapterOf([], { version, save })
  const rejection = t.rejects(write(adapter), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
  await failed.opened
  await new Promise(setImmediate)
  mock.timers.tick(2000)
  await rejection
})

await t.test('an unknown outcome of a step inside the transaction is none: COMMIT was never sent', async (t) => {
  const { adapter } = adapterOf()
  const unknown = new errorCodes.FST_IF_MATCH_OUTCOME_UNKNOWN()
  await t.rejects(adapter.transaction('k', EXISTS, async () => { throw unknown }), {
    code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
  })
})

await t.test('a work that caught the error of a statement ends in STORAGE_FAULT that says so: the server had rolled back', async (t) => {
  let hasFailed = false
  const { adapter } = adapterOf([], {
    version: (tx) => {
      if (hasFailed) throw stateOf('25P02')
      return tx.row?.version
    }
  })
  await t.rejects(adapter.transaction('k', EXISTS, async () => { hasFailed = true }), {
    code: 'FST_IF_MATCH_STORAGE_FAULT',
    message: /its error was not passed on/
  })
  hasFailed = false
  await t.rejects(adapter.transaction('k', EXISTS, async () => {
    hasFailed = true
    throw new Error('of the app')
  }), { message: 'of the app' })
})

await t.test('"transaction" that swallows the error of the work, or never runs it, is STORAGE_FAULT; a work that is run twice counts once', async (t) => {
  const swallows: Transaction = async (work) => { await work({ row: undefined }).catch(() => {}) }
  const forgets: Transaction = async () => {}
  const wrong: Array<[Transaction, RegExp]> = [[swallows, /must roll back, and reject/], [forgets, /never ran/]]
  for (const [transaction, message] of wrong) {
    const { adapter } = adapterOf([transaction], { save: () => { throw new Error('x') } })
    await t.rejects(write(adapter, ANY), { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message } })
  }
  const twice: Transaction = async (work, commit, store) => {
    await work({ ...store }).catch(() => {})
    return await properly(work, commit, store)
  }
  const { adapter, store } = adapterOf([twice])
  t.match(await write(adapter), { applied: true, version: '2' })
  t.strictSame(store.row, { version: 2, value: 'written' })
})

await t.test('an ORM that gives up on a work that is still running has not committed: UNAVAILABLE', async (t) => {
  const ended = barrier()
  const gives: Transaction = async (work, _commit, store) => {
    void work({ ...store }).catch(() => {})
    throw new Error('the transaction took longer than its timeout')
  }
  const { adapter, store } = adapterOf([gives])
  await t.rejects(adapter.transaction('k', EXISTS, async () => { await ended.opened }), {
    code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
  })
  ended.open()
  t.match(store.row, { value: 'stored' })
})

await t.test('a refusal stands, whatever becomes of the transaction behind it', async (t) => {
  const { adapter } = adapterOf([failingAtCommit(new Error('gone'))])
  t.match(await write(adapter, versionIn('other')), { applied: false, current: { version: '1', value: 'stored' } })
})

await t.test('a new version that cannot be an entity-tag is found ahead of the commit: INVALID_VERSION, and nothing is stored', async (t) => {
  const version = (tx: Tx) => tx.row?.value === 'written' ? 'two words' : tx.row?.version
  const { adapter, store } = adapterOf([], { version })
  await t.rejects(write(adapter), { code: 'FST_IF_MATCH_INVALID_VERSION' })
  t.match(store.row, { version: 1, value: 'stored' })
})

await t.test('a removal leaves no entity; of one that is absent it is refused', async (t) => {
  const { adapter, store } = adapterOf()
  t.same(await adapter.remove('k', EXISTS), { applied: true })
  t.equal(store.row, undefined)
  t.same(await adapter.remove('k', EXISTS), { applied: false, current: undefined })
})

await t.test('what the functions of the app give is checked: versions, rows, what save and remove leave', async (t) => {
  const read = async (adapter: TransactionAdapter) => await adapter.read('k')
  const remove = async (adapter: TransactionAdapter) => await adapter.remove('k', EXISTS)
  const cases: Array<[Partial<Options>, (adapter: TransactionAdapter) => Promise<unknown>, string, RegExp]> = [
    [{ version: () => new Date() as never }, write, 'INVALID_ADAPTER', /a Date, which has milliseconds alone/],
    [{ read: () => ({ version: new Date() as never, value: 1 }) }, read, 'INVALID_ADAPTER', /Date/],
    [{ read: () => 'row' as never }, read, 'STORAGE_FAULT', /a mistake in the code/],
    [{ read: () => ({ version: 1, value: new Date() }) }, read, 'NOT_JSON', /what "read" gave/],
    [{ read: () => ({ version: 1 }) as never }, read, 'STORAGE_FAULT', /a mistake in the code/],
    [{ save: (tx) => { tx.row = undefined } }, write, 'STORAGE_FAULT', /may have been applied/],
    [{ remove: (tx) => { tx.row!.version++ } }, remove, 'STORAGE_FAULT', /may have been applied/],
    [
      { read: () => ({ version: 1, value: 1, lastWrite: { version: 1, replaced: new Date() } as never }) },
      read, 'STORAGE_FAULT', /a mistake in the code/
    ],
    [{ save: undefined as never }, write, 'INVALID_OPTIONS', /it has no "save"/],
    [{ remove: undefined as never }, remove, 'INVALID_OPTIONS', /it has no "remove"/],
    [{ toId: () => { throw new errorCodes.FST_IF_MATCH_INVALID_KEY('x') } }, write, 'INVALID_KEY', /x/]
  ]
  for (const [options, call, code, message] of cases) {
    await t.rejects(call(adapterOf([], options).adapter), { code: `FST_IF_MATCH_${code}`, message })
  }
  const { adapter } = adapterOf([], { read: () => null, version: () => null })
  t.equal(await adapter.read('k'), undefined)
  t.match(await write(adapter), { applied: false, current: undefined })
})

await t.test('what is kept of a write is given ahead of the commit, in the transaction of the last run, and not of a removal', async (t) => {
  withoutPauses(t)
  const kept: unknown[] = []
  const saveLastWrite = (tx: Tx, id: string, write: LastWrite) => { kept.push([tx.row, id, write]) }
  const { adapter, store } = adapterOf([failingAtCommit(stateOf('40001'))], { saveLastWrite })
  t.match(await adapter.write('k', 'written', EXISTS, { digest: 'd' }), { applied: true, version: '2' })
  const row = { version: 2, value: 'written' }
  const last = { version: '2', replaced: '1', digest: 'd' }
  t.strictSame(kept.splice(0), [[row, 'k', last], [row, 'k', last]], 'once in each run')
  await adapter.write('k', 'refused', versionIn('1'), { digest: 'd' })
  await adapter.remove('k', EXISTS)
  t.strictSame(kept, [])
  await adapter.transaction('k', ABSENT, async (tx: Tx) => { tx.row = row })
  t.strictSame(kept.pop(), [row, 'k', { version: '2', replaced: null, digest: null }])
  t.strictSame(store.row, row)
})

await t.test('an error of what keeps the last write rolls back: one of the engine runs again, one of the app goes out', async (t) => {
  withoutPauses(t)
  const errors = [stateOf('40P01'), Object.assign(new Error('quota'), { statusCode: 409 })]
  const { adapter, store, begun } = adapterOf([], { saveLastWrite: () => Promise.reject(errors.shift()) })
  await t.rejects(write(adapter), { message: 'quota' })
  t.equal(begun(), 2)
  t.match(store.row, { value: 'stored' })
})

await t.test('what keeps the last write must leave a new version: one that it took back is VERSION_UNCHANGED', async (t) => {
  const back = (tx: Tx) => { tx.row = { version: 1, value: 'of a stale model' } }
  const { adapter, store } = adapterOf([], { saveLastWrite: back })
  await t.rejects(write(adapter), { code: 'FST_IF_MATCH_VERSION_UNCHANGED' })
  t.match(store.row, { value: 'stored' })
})

await t.test('what was kept holds for its own version alone, and nulls are nothing kept', async (t) => {
  const of = async (lastWrite: unknown) => {
    const { adapter } = adapterOf([], { read: () => ({ version: 7n, value: 1, lastWrite: lastWrite as KeptWrite }) })
    const { replaced, digest } = (await adapter.read('k'))!
    return [replaced, digest]
  }
  t.strictSame(await of({ version: '7', replaced: 6, digest: 'd' }), ['6', 'd'])
  t.strictSame(await of({ version: 7, replaced: null, digest: null }), [undefined, undefined])
  const nothing = [undefined, null, {}, { version: null, replaced: null, digest: null }]
  for (const lastWrite of [...nothing, { version: '6', replaced: '5', digest: 'd' }]) {
    t.strictSame(await of(lastWrite), [undefined, undefined])
  }
})

await t.test('in a context, the steps are part of the caller\'s transaction: nothing is begun, and nothing tried again', async (t) => {
  const { adapter, begun } = adapterOf([], { save: () => { throw stateOf('40001') } })
  const client: Tx = { row: { version: 3, value: 'inside' } }
  const context = { client }
  t.match(await adapter.read('k', { context }), { version: '3', value: 'inside' })
  await t.rejects(adapter.write('k', 1, EXISTS, { context }), { code: 'FST_IF_MATCH_CONTENTION' })
  const work = async (tx: Tx) => { tx.row = { version: 4, value: 'changed' } }
  await adapter.transaction('k', versionIn('3'), work, { context })
  t.strictSame(client.row, { version: 4, value: 'changed' })
  t.equal(begun(), 0)
  await t.rejects(adapter.transaction('k', EXISTS, async () => {}, { context: {} }), {
    code: 'FST_IF_MATCH_INVALID_OPTIONS'
  })
})

await t.test('nothing begins once nobody waits, and what ends then is rolled back', async (t) => {
  const { adapter, store, begun } = adapterOf()
  let isOver = true
  const options = { isOver: () => isOver }
  await t.rejects(adapter.write('k', 1, EXISTS, options), { code: 'FST_IF_MATCH_LATE_WRITE' })
  t.equal(begun(), 0)
  isOver = false
  await t.rejects(adapter.transaction('k', EXISTS, async (tx: Tx) => {
    tx.row = { version: 2, value: 'changed' }
    isOver = true
  }, options), { code: 'FST_IF_MATCH_LATE_WRITE' })
  t.match(store.row, { value: 'stored' })
})

await t.test('works and reads take turns where "serial" says so: a read waits for the transaction that is open', async (t) => {
  const begun = barrier()
  const end = barrier()
  const { adapter } = adapterOf([async (work, _commit, store) => {
    try {
      return await work(store)
    } catch (error) {
      store.row = { version: 1, value: 'stored' }
      throw error
    }
  }], { serial: true })
  const written = adapter.transaction('k', EXISTS, async (tx: Tx) => {
    tx.row = { version: 2, value: 'not committed' }
    begun.open()
    await end.opened
    throw Object.assign(new Error('no'), { statusCode: 409 })
  }).catch(() => {})
  await begun.opened
  const read = adapter.read('k')
  end.open()
  await written
  t.match(await read, { version: '1', value: 'stored' })
})

await t.test('an operation that gets no turn within 10 seconds is UNAVAILABLE', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const begun = barrier()
  const { adapter } = adapterOf([], { serial: true })
  void adapter.transaction('k', EXISTS, async () => {
    begun.open()
    await new Promise(() => {})
  })
  await begun.opened
  const rejection = t.rejects(adapter.read('k'), {
    code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
    cause: { message: /busy with other transactions for 10 seconds/ }
  })
  mock.timers.tick(10_000)
  await rejection
})

await t.test('wrong options are refused, one by one', (t) => {
  const right = {
    client: {}, transaction: () => {}, toId: () => '', version: () => 1, read: () => undefined
  }
  const wrong: Array<[object | undefined, RegExp]> = [
    [undefined, /"client" must be/],
    [{ ...right, client: null }, /"client" must be/],
    [{ ...right, client: Promise.resolve() }, /Await it/],
    ...['transaction', 'toId', 'version', 'read'].map((name): [object, RegExp] =>
      [{ ...right, [name]: 1 }, new RegExp(`"${name}" must be a function\\.`)]),
    ...['save', 'remove', 'faultOf'].map((name): [object, RegExp] =>
      [{ ...right, [name]: 1 }, new RegExp(`"${name}" must be a function, if`)]),
    [{ ...right, serial: 'yes' }, /"serial" must be/],
    [{ ...right, saves: () => {} }, /Did you mean "save"/]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => transactionsAdapter(options as never), { code: 'FST_IF_MATCH_INVALID_OPTIONS', message })
  }
  t.end()
})

await t.test('an error that faultOf made goes out as it is; for a unique key that a creation meets, it looks again first', async (t) => {
  withoutPauses(t)
  const taken = new Error('taken, in words of the app')
  const faultOf = (error: unknown) => (error as { code?: string }).code === '23505' ? taken : undefined
  const { adapter } = adapterOf([], { faultOf, save: () => { throw stateOf('23505') } })
  const app = newApp(t)
  await app.register(ifMatch, { storage: adapter })
  app.put('/:id', { config: { ifMatch: true } }, async (request) => await request.entity().replace(1))
  const answer = await app.inject({ method: 'PUT', url: '/k', headers: { 'if-match': '*' } })
  t.match(answer.json(), { statusCode: 500, message: taken.message }, 'nothing was applied, and no outcome is unknown')

  const races: Transaction = async (work, _commit, store) => {
    await work({ row: undefined }).catch(() => {})
    store.row = { version: 5, value: 'of another' }
    throw stateOf('23505')
  }
  const { adapter: raced, store } = adapterOf([races], { faultOf, save: () => { throw stateOf('23505') } })
  store.row = undefined
  t.match(await write(raced, ABSENT), { applied: false, current: { value: 'of another' } })
})

await t.test('faultOf comes first, and errors of engines that it does not know are known all the same', async (t) => {
  class Taken extends Error { readonly statusCode = 409 }
  const faultOf = (error: unknown) => (error as { code?: string }).code === '23505' ? new Taken('taken') : undefined
  const save = (state: string) => ({ faultOf, save: () => { throw stateOf(state) } })
  await t.rejects(write(adapterOf([], save('23505')).adapter), { message: 'taken', statusCode: 409 })
  await t.rejects(write(adapterOf([], save('23514')).adapter), { code: 'FST_IF_MATCH_INVALID_VALUE' })
  await t.rejects(write(adapterOf([], save('42P01')).adapter), { code: 'FST_IF_MATCH_STORAGE_FAULT' })
})
