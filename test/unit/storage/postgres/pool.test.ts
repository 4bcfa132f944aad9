import { EventEmitter } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import pg from 'pg'
import t from 'tap'
import type { PgPool } from '../../../../lib/storage/postgres/client.js'
import { explainBoot, faultKind, NotSentError } from '../../../../lib/storage/postgres/faults.js'
import { giveBack, idleConnection, overIdleConnection } from '../../../../lib/storage/postgres/pool.js'
import { warningsOf } from '../../../support/postgres/subjects.js'

const IDLE = { getTransactionStatus: () => 'I' }
const sqlError = (code: string) => Object.assign(new Error('simulated'), { code })

// A pool that gives its one connection again and again, and notes how it came back.
function poolOf (form: object, totalCount = 1) {
  const released: Array<'kept' | 'destroyed'> = []
  const connection = Object.assign(new EventEmitter(), form, {
    query: async () => ({ rows: [] }),
    release: (destroys: boolean) => { released.push(destroys ? 'destroyed' : 'kept') }
  })
  const pool: PgPool = { totalCount, connect: async () => connection }
  return { pool, released, connection }
}

await t.test('postgres: a connection stays in the pool unless it broke, or the server ended it, or nobody knows its status', async (t) => {
  const refusal = (code: string, severity = 'ERROR') => Object.assign(sqlError(code), { severity })
  const broken = new Error('Connection terminated unexpectedly')
  const cases: Array<[Error | undefined, object, 'kept' | 'destroyed']> = [
    [undefined, IDLE, 'kept'], [undefined, {}, 'kept'], [refusal('23505'), IDLE, 'kept'],
    [refusal('55P03'), IDLE, 'kept'], [refusal('40001'), IDLE, 'kept'], [refusal('57P01', 'FATAL'), IDLE, 'destroyed'],
    [refusal('25P03', 'FATAL'), IDLE, 'destroyed'], [refusal('25006'), IDLE, 'destroyed'],
    [refusal('08006'), IDLE, 'destroyed'], [broken, IDLE, 'destroyed'],
    [undefined, { getTransactionStatus: () => null }, 'kept'],
    [refusal('23505'), {}, 'destroyed']
  ]
  for (const [error, form, expected] of cases) {
    const { pool, released, connection } = poolOf(form)
    const running = overIdleConnection(pool, async () => {
      // pg tells of a broken connection in this way, too.
      if (error === broken) connection.emit('error', broken)
      if (error !== undefined) throw error
      return 'done'
    })
    if (error === undefined) t.equal(await running, 'done')
    else await t.rejects(running, error)
    t.strictSame(released, [expected], String(error))
    t.equal(connection.listenerCount('error'), 0)
  }
})

await t.test('postgres: a transaction takes a connection that is in none; where each is inside one, all are closed, and nothing was sent', async (t) => {
  const { pool, released, connection } = poolOf(IDLE)
  t.equal(await idleConnection(pool), connection)
  giveBack(connection as never, false)
  t.strictSame([released, connection.listenerCount('error')], [['kept'], 0])
  const left = poolOf({ getTransactionStatus: () => 'T' }, 2)
  const warnings = await warningsOf(async () => {
    await t.rejects(idleConnection(left.pool), { message: 'each connection of the pool is inside a transaction' })
  })
  t.strictSame([left.released, warnings.length], [Array(3).fill('destroyed'), 1])
})

// A message of the server: its type, its length, and its content.
function messageOf (type: string, content: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + content.length)
  return Buffer.concat([Buffer.from(type), length, Buffer.from(content)])
}

await t.test('postgres: a server that ends a connection in the packet that made it ready does not end the process', async (t) => {
  const ready = [messageOf('R', '\0\0\0\0'), messageOf('Z', 'I'), messageOf('E', 'SFATAL\0C57P01\0Mgoing down\0\0')]
  const server = createServer((socket) => {
    socket.once('data', () => { socket.end(Buffer.concat(ready)) })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'u', database: 'd' })
  pool.on('error', () => {})
  const query = { text: '', values: [], query_timeout: 0 }
  await t.rejects(overIdleConnection(pool, async (client) => await client.query(query)))
  t.equal(pool.totalCount, 0)
  await pool.end()
  server.close()
})

await t.test('postgres: a pool that gives no connection sent nothing, whatever it says', async (t) => {
  const reasons: Array<[unknown, RegExp]> = [
    [new Error('the secret store is away'), /no connection could be had: the secret store is away/],
    [sqlError('57P01'), /starting or going down/], [sqlError('42501'), /GRANT/], ['a text', /no connection/],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), /ECONNREFUSED/]
  ]
  for (const [reason, message] of reasons) {
    const pool: PgPool = { totalCount: 0, connect: async () => { throw reason } }
    const error = await overIdleConnection(pool, async () => {}).catch((error) => error)
    t.equal(faultKind(error), 'NOT_APPLIED')
    t.equal(error.cause, reason)
    t.match(explainBoot(error).message, message)
  }
})

await t.test('postgres: a connection whose failed transaction shows in the answer alone leaves the pool, too, and the next one is used', async (t) => {
  for (const form of [IDLE, {}]) {
    const { pool, released } = poolOf(form)
    let sent = 0
    const warnings = await warningsOf(async () => {
      t.equal(await overIdleConnection(pool, async () => {
        if (++sent === 1) throw Object.assign(sqlError('25P02'), { severity: 'ERROR' })
        return 'done'
      }), 'done')
    })
    t.equal(warnings.length, 1)
    t.strictSame(released, ['destroyed', 'kept'])
  }
})

await t.test('postgres: connections inside a transaction leave the pool until one is idle, with one warning; if none is, nothing is sent', async (t) => {
  // Of one connection after the other.
  const statuses = ['T', 'E', 'I', 'T', 'I']
  const leaking = poolOf({ getTransactionStatus: () => statuses[0] }, 2)
  const { release } = leaking.connection
  leaking.connection.release = (destroys) => {
    release(destroys)
    statuses.shift()
  }
  const warnings = await warningsOf(async () => {
    for (let round = 0; round < 2; round++) t.equal(await overIdleConnection(leaking.pool, async () => 'done'), 'done')
  })
  t.strictSame(leaking.released, ['destroyed', 'destroyed', 'kept', 'destroyed', 'kept'])
  t.match(warnings, [{ code: 'FST_IF_MATCH_POSTGRES_OPEN_TRANSACTION' }])
  t.equal(warnings.length, 1)
  const { pool, released } = poolOf({ getTransactionStatus: () => 'T' }, 2)
  await t.rejects(overIdleConnection(pool, async () => t.fail('it is sent')), {
    message: /each connection of the pool is inside a transaction/
  })
  t.strictSame(released, ['destroyed', 'destroyed', 'destroyed'])
})

await t.test('postgres: a pool that has no connection to give sent nothing, whether it rejects, calls back or throws', async (t) => {
  const full = new Error('the pool is full')
  const connects: Array<PgPool['connect']> = [
    async () => { throw full },
    (callback) => { callback(full) },
    () => { throw full }
  ]
  for (const connect of connects) {
    const error = await idleConnection({ totalCount: 0, connect }).catch((error: unknown) => error)
    t.type(error, NotSentError)
    t.match(error, { message: full.message, cause: full })
  }
})
