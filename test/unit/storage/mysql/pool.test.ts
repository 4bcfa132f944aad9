import t from 'tap'
import type { Answer, Connection, Source } from '../../../../lib/storage/mysql/client.js'
import { connected, overIdleConnection } from '../../../../lib/storage/mysql/pool.js'
import { warningsOf } from '../../../support/mysql/subjects.js'

const OK: Answer = { rows: [], affectedRows: 1, isInTransaction: false }
const OPEN: Answer = { ...OK, isInTransaction: true }
const SEND = async (connection: Connection): Promise<Answer> => await connection.send('UPDATE', [])

// A pool that gives its one connection again and again, and notes how it came back.
function poolOf (answer: () => Answer) {
  const ended: Array<'kept' | 'destroyed'> = []
  const connection: Connection = {
    id: {},
    send: async () => answer(),
    giveBack () { ended.push('kept') },
    destroy () { ended.push('destroyed') }
  }
  const pool: Source = { isPool: true, connect: async () => connection }
  return { pool, ended }
}

await t.test('mysql: a connection stays in its pool if the server refused the statement alone', async (t) => {
  const refusal = (errno: number) => Object.assign(new Error('refused'), { errno, code: 'ER', sqlState: 'HY000' })
  const cases: Array<[error: Error, 'kept' | 'destroyed']> = [
    [refusal(1062), 'kept'], [refusal(1205), 'kept'], [refusal(1213), 'kept'], [refusal(1146), 'kept'],
    [refusal(1317), 'kept'], [refusal(1290), 'destroyed'], [refusal(1053), 'destroyed'],
    [new TypeError('a bug'), 'destroyed'],
    [Object.assign(new Error('lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }), 'destroyed']
  ]
  for (const [error, expected] of cases) {
    const { pool, ended } = poolOf(() => { throw error })
    await t.rejects(overIdleConnection(pool, SEND), error)
    t.strictSame(ended, [expected], String(Object(error).errno))
  }
})

await t.test('mysql: connections inside a transaction leave the pool until one is in none; it gives up, with one warning', async (t) => {
  const answers = [OPEN, OPEN, OK]
  const { pool, ended } = poolOf(() => answers.shift() ?? OPEN)
  const warnings = await warningsOf(async () => {
    t.equal(await overIdleConnection(pool, SEND), OK)
    t.strictSame(ended, ['destroyed', 'destroyed', 'kept'])
    await t.rejects(overIdleConnection(pool, SEND), { message: /each connection of the pool is inside a transaction/ })
  })
  t.equal(ended.length, 3 + 17)
  t.match(warnings, [{ code: 'FST_IF_MATCH_MYSQL_OPEN_TRANSACTION' }])
  t.equal(warnings.length, 1)
})

await t.test('mysql: a pool that gives no connection sent nothing, whatever it says', async (t) => {
  const several = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  for (const [reason, message] of [[new Error('the store is away'), /away/], [several, /ECONNREFUSED/]] as const) {
    const error = await connected({ isPool: true, connect: async () => { throw reason } }).catch((error) => error)
    t.match(error, { message, cause: reason })
  }
})
