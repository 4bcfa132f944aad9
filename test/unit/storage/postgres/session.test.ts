import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { PgQuery, PostgresClient } from '../../../../lib/storage/postgres/client.js'
import { PostgresSession, type SessionOptions } from '../../../../lib/storage/postgres/session.js'
import { warningsOf } from '../../../support/postgres/subjects.js'

const STATEMENT = { name: 'named', text: 'SELECT 1' }

type Answer = (query: PgQuery | string) => Promise<unknown>

// A client that notes the queries that it gets, and the session on it. A pool notes how each connection came back.
function sessionOn (answer: Answer, options: Partial<SessionOptions> = {}, form: object = {}) {
  const asked: unknown[][] = []
  const released: Array<'kept' | 'destroyed'> = []
  const query = async (...query: unknown[]) => {
    asked.push(query)
    return await answer(query[0] as PgQuery | string)
  }
  const connection = Object.assign(new EventEmitter(), form, {
    query,
    release: (destroys: boolean) => { released.push(destroys ? 'destroyed' : 'kept') }
  })
  const client = { ...form, query, connect: async () => connection } as unknown as PostgresClient
  return { session: new PostgresSession(client, { timeout: 5000, ...options }), asked, released, connection }
}

const ROWS = { rows: [{ a: 1 }] }
const POOL = { totalCount: 0, getTransactionStatus: () => 'I' }
const CLIENT = { escapeIdentifier () {} }
const sqlError = (code: string) => Object.assign(new Error('simulated'), { code })

await t.test('postgres: a client of pg gets named statements and a query_timeout; other clients get text and values', async (t) => {
  const named = [{ ...STATEMENT, values: ['a'], query_timeout: 5000 }]
  const unnamed = [{ text: 'SELECT 1', values: ['a'], query_timeout: 5000 }]
  const cases: Array<[object, boolean | undefined, unknown[]]> = [
    [POOL, undefined, named], [CLIENT, undefined, named], [{}, undefined, ['SELECT 1', ['a']]],
    [{}, true, named], [POOL, false, unnamed], [{}, false, ['SELECT 1', ['a']]]
  ]
  for (const [form, prepared, expected] of cases) {
    const { session, asked } = sessionOn(async () => ROWS, { prepared }, form)
    t.strictSame(await session.query(STATEMENT, ['a']), [{ a: 1 }])
    t.strictSame(asked, [expected])
  }
  const { session, asked } = sessionOn(async () => ROWS, {}, POOL)
  await session.query({ text: 'SELECT 2' }, [])
  t.strictSame(asked, [[{ text: 'SELECT 2', values: [], query_timeout: 5000 }]], 'a statement without a name')
})

await t.test('postgres: once a named statement is not found, all are sent unnamed, with one warning', async (t) => {
  for (const code of ['26000', '42P05']) {
    const { session, asked } = sessionOn(async (query) => {
      if ((query as PgQuery).name !== undefined) throw sqlError(code)
      return ROWS
    }, {}, POOL)
    const warnings = await warningsOf(async () => {
      await Promise.all([session.query(STATEMENT, []), session.query(STATEMENT, [])])
      await session.query(STATEMENT, [])
    })
    t.strictSame(
      asked.map(([query]) => (query as PgQuery).name),
      ['named', 'named', undefined, undefined, undefined],
      code
    )
    t.match(warnings, [{ code: 'FST_IF_MATCH_POSTGRES_UNPREPARED', message: /prepared: false/ }])
    t.equal(warnings.length, 1)
  }
})

await t.test('postgres: after any other error nothing is sent a second time', async (t) => {
  for (const error of [sqlError('42P01'), new Error('Connection terminated unexpectedly')]) {
    const { session, asked } = sessionOn(async () => { throw error }, {}, POOL)
    await t.rejects(session.query(STATEMENT, []), error)
    t.equal(asked.length, 1)
  }
})

await t.test('postgres: what waits for its turn or for a connection until its time is over is not sent', async (t) => {
  for (const form of [CLIENT, POOL]) {
    let open = () => {}
    const opened = new Promise<void>((resolve) => { open = resolve })
    const { session, asked, released, connection } = sessionOn(async () => {
      await opened
      return ROWS
    }, { timeout: 5 }, form)
    if (form === POOL) {
      const pool = { ...POOL, query () {}, connect: async () => await opened.then(() => connection) }
      const late = new PostgresSession(pool as unknown as PostgresClient, { timeout: 5 })
      await t.rejects(late.query(STATEMENT, []), { message: 'no connection was free within 5 ms' })
    } else {
      const [first, second] = await Promise.allSettled([session.query(STATEMENT, []), session.query(STATEMENT, [])])
      t.match(first, { reason: { message: 'no answer came within 5 ms' } })
      t.match(second, { reason: { message: 'no connection was free within 5 ms' } })
    }
    open()
    await turn()
    t.equal(asked.length, form === POOL ? 0 : 1)
    t.strictSame(released, form === POOL ? ['kept'] : [])
  }
})

await t.test('postgres: an answer that does not come in time is an error, and nothing is sent again', async (t) => {
  const { session, asked } = sessionOn(async () => await new Promise(() => {}), { timeout: 5 })
  await t.rejects(session.query(STATEMENT, []), { message: 'no answer came within 5 ms' })
  t.equal(asked.length, 1)
})

await t.test('postgres: an answer without rows is an error, and no absence', async (t) => {
  for (const answer of [[], {}]) {
    const { session } = sessionOn(async () => answer)
    await t.rejects(session.query(STATEMENT, []), { message: /"rows"/ })
  }
})

await t.test('postgres: a connection of pg gets one statement at a time, also behind one that failed', async (t) => {
  let underWay = 0
  let most = 0
  let count = 0
  const answer = async () => {
    most = Math.max(most, ++underWay)
    await turn()
    underWay--
    if (++count === 2) throw new Error('failed')
    return ROWS
  }
  for (const [form, expected] of [[CLIENT, 1], [POOL, 4]] as const) {
    most = count = 0
    const { session } = sessionOn(answer, {}, form)
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => session.query(STATEMENT, [])))
    t.strictSame(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    t.equal(most, expected)
  }
})
