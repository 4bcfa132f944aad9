import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { Answer, Connection, Source } from '../../../../lib/storage/mysql/client.js'
import { MysqlSession, type SessionOptions } from '../../../../lib/storage/mysql/session.js'
import { barrier } from '../../../support/barrier.js'

const OK: Answer = { rows: [], affectedRows: 1, isInTransaction: false }
const OPEN: Answer = { ...OK, isInTransaction: true }

interface Server {
  version?: string
  isPool?: boolean
  answer?: (text: string) => Promise<Answer> | Answer
  connect?: () => Promise<void>
}

// A session over connections that note what they are sent, and how they came back.
function sessionOn (
  { version = '10.11-MariaDB', isPool = true, answer = () => OK, connect }: Server,
  options: Partial<SessionOptions> = {}
) {
  const sent: string[] = []
  const ended: Array<'kept' | 'destroyed'> = []
  const connection: Connection = {
    id: {},
    async send (text) {
      if (text.startsWith('SELECT VERSION()') && version === '') throw new Error('refused')
      if (text.startsWith('SELECT VERSION()')) return { ...OK, rows: [[version, '1000', 'shop']], affectedRows: 0 }
      sent.push(text)
      return await answer(text)
    },
    giveBack () { ended.push('kept') },
    destroy () { ended.push('destroyed') }
  }
  const source: Source = {
    isPool,
    async connect () {
      await connect?.()
      return connection
    }
  }
  return { session: new MysqlSession(source, { timeout: 60_000, lockTimeout: 1500, ...options }), sent, ended }
}

await t.test('mysql: on MySQL each connection is told the bound of locks once, ahead of its first change; on MariaDB each statement has it', async (t) => {
  const bound = 'SET SESSION innodb_lock_wait_timeout = 2, lock_wait_timeout = 2'
  for (const [server, options, expected] of [
    [{ version: '8.4.3' }, {}, ['SELECT 1', bound, 'UPDATE', 'UPDATE']],
    [{ version: '8.4.3' }, { lockTimeout: 0 }, ['SELECT 1', 'UPDATE', 'UPDATE']],
    [{}, {}, ['SELECT 1', 'UPDATE', 'UPDATE']]
  ] as const) {
    const { session, sent } = sessionOn(server, options)
    await session.query('SELECT 1', [])
    t.equal(await session.change('UPDATE', []), 1)
    await session.change('UPDATE', [])
    t.strictSame(sent, expected)
  }
})

await t.test('mysql: on MySQL each statement over one connection asks first whether there is a transaction; what ran by itself all the same is unknown', async (t) => {
  const server = async () => ({ isMariaDb: false, maxPacket: 1000, database: 'shop' })
  const inside = { isInTransaction: true, lockTimeout: 0, server }
  const asked = sessionOn({ isPool: false, answer: () => OPEN }, inside)
  t.equal(await asked.session.change('UPDATE', []), 1)
  t.strictSame(asked.sent, ['DO 0', 'UPDATE'])
  const ended = sessionOn({ isPool: false, answer: () => ({ ...OK, affectedRows: 0 }) }, inside)
  const refused = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /in no transaction/ }
  await t.rejects(ended.session.change('UPDATE', []), refused)
  await t.rejects(ended.session.query('SELECT', []), refused)
  t.strictSame(ended.sent, ['DO 0', 'DO 0'])
  const joined = sessionOn({ isPool: false, version: '8.4.3', answer: () => OPEN })
  await t.rejects(joined.session.change('UPDATE', []), { message: /inside a transaction of the app/ })
  t.strictSame(joined.sent, ['DO 0'])
  const late = sessionOn({ isPool: false, answer: (text) => text === 'DO 0' ? OPEN : OK }, inside)
  await t.rejects(late.session.change('UPDATE', []), { name: 'Error', message: /carried out by itself/ })
})

await t.test('mysql: a change over one connection that turns out to be in a transaction of the app is unknown where it was carried out', async (t) => {
  const { session } = sessionOn({ isPool: false, answer: (text) => text === 'DO 0' ? OK : OPEN }, {
    server: async () => ({ isMariaDb: false, maxPacket: 1000, database: 'shop' })
  })
  await t.rejects(session.change('UPDATE', []), { message: /was carried out, and the client is inside a transaction/ })
})

await t.test('mysql: the server is asked once; if it does not say what it is, nothing else is sent, and it is asked again', async (t) => {
  let isAway = true
  let asked = 0
  const { session, sent } = sessionOn({
    async connect () {
      asked++
      if (isAway) throw Object.assign(new Error(), { code: 'ECONNREFUSED', syscall: 'connect', errors: [] })
    }
  })
  await t.rejects(session.change('UPDATE', []), { name: 'Error', message: 'ECONNREFUSED' })
  t.strictSame(sent, [])
  isAway = false
  t.strictSame(await session.server(), { isMariaDb: true, maxPacket: 1000, database: 'shop' })
  await session.server()
  t.equal(asked, 2)
})

await t.test('mysql: what waits for a connection or its turn until its time is over is not sent; a connection that hangs leaves the pool', async (t) => {
  for (const isPool of [true, false]) {
    const { opened, open } = barrier()
    const answer = async () => await opened.then(() => OK)
    const { session, sent, ended } = sessionOn({ isPool, answer }, { timeout: 5 })
    const [first, second] = await Promise.allSettled([session.query('one', []), session.query('two', [])])
    t.match(first, { reason: { message: 'MySQL: no answer came within 5 ms.' } })
    t.match(second, { reason: { message: isPool ? /no answer/ : /no connection was free/ } })
    open()
    await turn()
    t.strictSame(sent, isPool ? ['one', 'two'] : ['one'])
    t.equal(ended.includes('destroyed'), isPool)
  }
  const { opened, open } = barrier()
  const { session, sent, ended } = sessionOn({ connect: async () => await opened }, { timeout: 5 })
  await t.rejects(session.query('late', []), { message: 'no connection was free within 5 ms' })
  open()
  await turn()
  t.strictSame([sent, ended], [[], ['kept']])
})

await t.test('mysql: a server that answers with an error what it is asked for itself was sent nothing else', async (t) => {
  const { session, sent } = sessionOn({ version: '' })
  await t.rejects(session.change('UPDATE', []), { message: 'the server did not tell its version' })
  t.strictSame(sent, [])
})
