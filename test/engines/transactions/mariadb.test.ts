import mysql2 from 'mysql2'
import t, { type Test } from 'tap'
import type { TransactionAdapter, Work } from 'fastify-if-match'
import {
  mysqlTransaction, transactionsAdapter, wholeTransaction, type KeptWrite
} from 'fastify-if-match/storage/transactions'
import { barrier } from '../../support/barrier.js'
import { ABSENT, EXISTS, versionIn } from '../../support/expectations.js'
import { configOf, driversOf, rowsOf, type Pool, type PoolConnection } from '../../support/mysql/drivers.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'
import { until } from '../../support/until.js'
import { withoutPauses } from '../../support/without-pauses.js'

interface Order { customer: string, skus: string[] }

/** What a transaction and a read are sent with. */
type Client = Pick<PoolConnection, 'query'>

/** The pool that is passed to mysqlTransaction, and the same one with promises. */
interface Pools { passed: object, asked: Pool }

type Transaction = (work: (tx: PoolConnection) => Promise<unknown>) => Promise<unknown>

/** The transaction of an ORM, which begins with BEGIN, and gives the connection back whatever became of the end. */
function ofOrm (pool: Pool): Transaction {
  return async (work) => {
    const connection = await pool.getConnection()
    try {
      await connection.query('BEGIN')
      const result = await work(connection)
      await connection.query('COMMIT')
      return result
    } catch (error) {
      await connection.query('ROLLBACK').catch(() => {})
      throw error
    } finally {
      await connection.release()
    }
  }
}

const send = async (tx: Pick<PoolConnection, 'query'>, sql: string): Promise<unknown> => await tx.query(sql)

await t.test('mysqlTransaction', { skip: skipWithout('mysql') }, async (t) => {
  const { url } = await startMariadb(t)
  const [first, second] = driversOf(url)
  const steady = second!.pool(t, { connectionLimit: 2 })
  const withPromises = [first!, second!].map(({ name, pool }) => {
    const pools = (t: Test, connectionLimit: number): Pools => {
      const made = pool(t, { connectionLimit })
      return { passed: made, asked: made }
    }
    return { name, pools }
  })
  const withCallbacks = (t: Test, connectionLimit: number): Pools => {
    const passed = mysql2.createPool({ ...configOf(url), connectionLimit })
    const asked = passed.promise() as unknown as Pool
    t.teardown(async () => { await asked.end() })
    return { passed, asked }
  }

  for (const { name, pools } of [...withPromises, { name: 'mysql2 with callbacks', pools: withCallbacks }]) {
    /** Orders with lines in two tables, and the adapter over them. Order 1 is there. */
    async function subject (
      t: Test,
      make: (pools: Pools) => Transaction = ({ passed }) => mysqlTransaction(passed)
    ) {
      const [orders, lines, writes] = ['orders', 'lines', 'writes'].map((name) => `${name}_${uniqueName()}`)
      await steady.query(
        `CREATE TABLE ${orders} (id varchar(40) PRIMARY KEY, customer text NOT NULL, row_version int NOT NULL)`
      )
      await steady.query(
        `CREATE TABLE ${lines} (
          order_id varchar(40) NOT NULL REFERENCES ${orders} (id) ON DELETE CASCADE, sku varchar(40) UNIQUE)`
      )
      await steady.query(
        `CREATE TABLE ${writes} (
          order_id varchar(40) PRIMARY KEY, version text NOT NULL, replaced text, digest text,
          FOREIGN KEY (order_id) REFERENCES ${orders} (id) ON DELETE CASCADE)`
      )
      await steady.query(`INSERT INTO ${orders} VALUES ('1', 'Ada', 1)`)
      const adapter: TransactionAdapter<Order> = transactionsAdapter<Order, Client, PoolConnection>({
        client: steady,
        transaction: make(pools(t, 8)),
        toId: (key) => key,
        async version (tx, id) {
          const [found] = rowsOf(await tx.query(`SELECT row_version FROM ${orders} WHERE id = ? FOR UPDATE`, [id]))
          return found?.['row_version'] as number | undefined
        },
        async read (client, id) {
          const [order] = rowsOf(await client.query(`SELECT * FROM ${orders} WHERE id = ?`, [id]))
          if (order === undefined) return undefined
          const found = rowsOf(await client.query(`SELECT sku FROM ${lines} WHERE order_id = ? ORDER BY sku`, [id]))
          const { customer, row_version: version } = order as { customer: string, row_version: number }
          const [kept] = rowsOf(await client.query(`SELECT * FROM ${writes} WHERE order_id = ?`, [id]))
          const value = { customer, skus: found.map(({ sku }) => sku as string) }
          return { version, value, lastWrite: kept as unknown as KeptWrite }
        },
        async save (tx, id, { customer, skus }, isNew) {
          // Not an upsert, which would let each of two creations win: where no row is, none is locked.
          await tx.query(
            isNew
              ? `INSERT INTO ${orders} (customer, id, row_version) VALUES (?, ?, 1)`
              : `UPDATE ${orders} SET customer = ?, row_version = row_version + 1 WHERE id = ?`,
            [customer, id]
          )
          await tx.query(`DELETE FROM ${lines} WHERE order_id = ?`, [id])
          for (const sku of skus) await tx.query(`INSERT INTO ${lines} VALUES (?, ?)`, [id, sku])
        },
        remove: (tx, id) => tx.query(`DELETE FROM ${orders} WHERE id = ?`, [id]),
        saveLastWrite: (tx, id, { version, replaced, digest }) => tx.query(
          `INSERT INTO ${writes} VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE
            version = VALUES(version), replaced = VALUES(replaced), digest = VALUES(digest)`,
          [id, version, replaced, digest]
        )
      })
      return { orders, adapter }
    }

    await t.test(`${name}: a work is stored as a whole, and nothing of it after a refusal or an error`, async (t) => {
      const { adapter } = await subject(t)
      const written = await adapter.write('1', { customer: 'Bo', skus: ['cup', 'tea'] }, versionIn('1'))
      t.match(written, { applied: true, version: '2', created: false })
      t.strictSame((await adapter.read('1'))?.value, { customer: 'Bo', skus: ['cup', 'tea'] })
      const refused = await adapter.write('1', { customer: 'Cy', skus: [] }, versionIn('1'))
      t.match(refused, { applied: false, current: { version: '2' } })
      await t.rejects(adapter.write('1', { customer: 'Cy', skus: ['same', 'same'] }, EXISTS), {
        code: 'FST_IF_MATCH_CONSTRAINT', cause: { constraint: 'sku' }
      })
      t.strictSame((await adapter.read('1'))?.value, { customer: 'Bo', skus: ['cup', 'tea'] })
      t.match(await adapter.write('2', { customer: 'Di', skus: [] }, ABSENT), { applied: true, created: true })
      t.match(await adapter.remove('2', EXISTS), { applied: true })
      t.equal(await adapter.read('2'), undefined)
    })

    await t.test(`${name}: what is known of the last write holds until a job writes past the adapter: RFC 9110 13.1.1`, async (t) => {
      const { adapter, orders } = await subject(t)
      const job = async (tx: Client = steady) =>
        await tx.query(`UPDATE ${orders} SET row_version = row_version + 1 WHERE id = '1'`)
      const refused = async () => await adapter.write('1', { customer: 'again', skus: [] }, versionIn('0'))
      const result = await adapter.transaction('1', versionIn('1'), async (tx: PoolConnection) => {
        const context = { client: tx }
        await adapter.write('1', { customer: 'Bo', skus: ['cup'] }, EXISTS, { context, digest: 'of the work' })
        await job(tx)
      }, { digest: 'of the whole' })
      t.match(result, { applied: true, version: '3' })
      const current = { version: '3', replaced: '1', digest: 'of the whole' }
      t.match([await adapter.read('1'), await refused()], [current, { applied: false, current }])
      await job()
      const moved = { version: '4', replaced: undefined, digest: undefined }
      t.match([await adapter.read('1'), await refused()], [moved, { applied: false, current: moved }])
      await adapter.write('1', { customer: 'Cy', skus: [] }, EXISTS)
      t.match(await adapter.read('1'), { version: '5', replaced: '4', digest: undefined })
      await adapter.remove('1', EXISTS)
      await adapter.write('1', { customer: 'Di', skus: [] }, ABSENT, { digest: 'of the creation' })
      t.match(await adapter.read('1'), { version: '1', replaced: undefined, digest: 'of the creation' })
    })

    for (const isolation of [undefined, 'READ COMMITTED', 'SERIALIZABLE'] as const) {
      await t.test(`${name}: of 8 that write under one version one wins, and of 8 that create one; at ${isolation ?? 'the level of the server'}`, async (t) => {
        const { adapter } = await subject(t, ({ passed }) => mysqlTransaction(passed, isolation))
        for (const [key, expectation] of [['1', versionIn('1')], ['new', ABSENT]] as const) {
          const orderOf = (writer: unknown): Order => ({ customer: `${writer}`, skus: [`${key} of ${writer}`] })
          const results = await Promise.all(
            Array.from({ length: 8 }, (_, writer) =>
              adapter.write(key, orderOf(writer), expectation, { digest: `of ${writer}` }))
          )
          const winners = results.flatMap(({ applied }, writer) => applied ? [writer] : [])
          t.equal(winners.length, 1)
          t.match(await adapter.read(key), { value: orderOf(winners[0]), digest: `of ${winners[0]}` })
        }
      })
    }

    const transactions: Array<[name: string, make: (pools: Pools) => Transaction]> = [
      ['mysqlTransaction', ({ passed }) => mysqlTransaction(passed)],
      ['wholeTransaction', ({ asked }) => wholeTransaction(ofOrm(asked), send)]
    ]
    for (const [maker, make] of transactions) {
      await t.test(`${name}, ${maker}: after a deadlock that the work swallowed, nothing that follows is stored: 500`, async (t) => {
        const { adapter, orders } = await subject(t, make)
        await steady.query(`INSERT INTO ${orders} VALUES ('2', 'Di', 1)`)
        const locked = { 1: barrier(), 2: barrier() }
        const work = (own: '1' | '2', other: '1' | '2') => async (tx: PoolConnection) => {
          await tx.query(`UPDATE ${orders} SET customer = 'half' WHERE id = ?`, [own])
          locked[own].open()
          await locked[other].opened
          await tx.query(`UPDATE ${orders} SET customer = 'half' WHERE id = ?`, [other]).catch(() => {})
          await tx.query(`UPDATE ${orders} SET row_version = row_version + 1 WHERE id = ?`, [own])
        }
        const ends = await Promise.allSettled([
          adapter.transaction('1', EXISTS, work('1', '2') as Work<Order, void, unknown>),
          adapter.transaction('2', EXISTS, work('2', '1') as Work<Order, void, unknown>)
        ])
        const failed = ends.flatMap((end) => end.status === 'rejected' ? [end.reason as unknown] : [])
        t.equal(failed.length, 1)
        t.match(failed[0], { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /If by a deadlock/ })
        const rows = rowsOf(await steady.query(`SELECT customer, row_version FROM ${orders} ORDER BY row_version`))
        t.match(rows, [{ customer: 'half', row_version: 1 }, { customer: 'half', row_version: 2 }], 'the other alone')
      })

      await t.test(`${name}, ${maker}: after a statement of the work that commits, nothing that follows is stored: 500`, async (t) => {
        const { adapter, orders } = await subject(t, make)
        const rename = async (tx: PoolConnection, customer: string): Promise<unknown> =>
          await tx.query(`UPDATE ${orders} SET customer = ?, row_version = row_version + 1`, [customer])
        await t.rejects(adapter.transaction('1', EXISTS, async (tx: PoolConnection) => {
          await rename(tx, 'ahead of ALTER')
          await tx.query(`ALTER TABLE ${orders} ADD note text`)
          await rename(tx, 'behind it')
        }), { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /such as ALTER, what came before that is stored/ })
        t.equal((await adapter.read('1'))?.value.customer, 'ahead of ALTER')
      })

      await t.test(`${name}, ${maker}: connections come back with autocommit, also after an error of the work and of its end`, async (t) => {
        const both = pools(t, 1)
        const transaction = make(both)
        const table = uniqueName()
        await steady.query(`CREATE TABLE ${table} (id int)`)
        const { asked } = both
        const ofConnection = async () =>
          rowsOf(await asked.query('SELECT connection_id() AS id, @@autocommit AS a, @@completion_type AS c'))[0]!
        const before = await ofConnection()
        t.equal(await transaction(async (tx) => {
          await tx.query(`INSERT INTO ${table} VALUES (1)`)
          return 'done'
        }), 'done')
        t.strictSame(await ofConnection(), before)
        await t.rejects(transaction(async (tx) => {
          await tx.query(`INSERT INTO ${table} VALUES (2)`)
          throw new Error('of the work')
        }), { message: 'of the work' })
        t.strictSame(await ofConnection(), before)
        await t.rejects(transaction(async (tx) => await tx.query('COMMIT NO RELEASE')), { code: /STORAGE_FAULT/ })
        const { id, ...settings } = before
        t.match(await ofConnection(), settings)
        // Ours is closed: the work may have left locks of tables on it as well.
        t.equal((await ofConnection())['id'] === id, maker === 'wholeTransaction')
        await asked.query(`INSERT INTO ${table} VALUES (3)`)
        t.match(rowsOf(await steady.query(`SELECT id FROM ${table} ORDER BY id`)), [{ id: 1 }, { id: 3 }])
      })

      await t.test(`${name}, ${maker}: a connection that is lost in the work, or ahead of COMMIT, leaves the pool, which goes on`, async (t) => {
        const both = pools(t, 1)
        const transaction = make(both)
        const kill = async (tx: PoolConnection) => await steady.query(`KILL ${tx.threadId}`)
        await t.rejects(transaction(async (tx) => { await kill(tx); await tx.query('SELECT sleep(60)') }))
        await t.rejects(transaction(kill), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
        t.match(rowsOf(await both.asked.query('SELECT 1 AS one')), [{ one: 1 }])
      })
    }

    await t.test(`${name}, wholeTransaction: a connection that the ORM took back from a work that still ran is closed, so no write of others is lost`, async (t) => {
      const { asked } = pools(t, 1)
      const table = uniqueName()
      await steady.query(`CREATE TABLE ${table} (id int)`)
      const taken = barrier()
      // As Prisma does when its timeout is over: it rolls back, and refuses all that the work sends.
      const impatient: Transaction = async (work) => {
        const connection = await asked.getConnection()
        await connection.query('BEGIN')
        const tx = {
          async query (sql: string) {
            if (hasEnded) throw new Error('the transaction has ended')
            return await connection.query(sql)
          }
        }
        let hasEnded = false
        const working = work(tx as PoolConnection).catch(() => {})
        await begun.opened
        hasEnded = true
        await connection.query('ROLLBACK')
        await connection.release()
        taken.open()
        await working
        throw new Error('it took too long')
      }
      const begun = barrier()
      const connectionOf = async (tx: Pick<PoolConnection, 'query'>): Promise<unknown> =>
        rowsOf(await tx.query('SELECT connection_id() AS id'))[0]!['id']
      let first: unknown
      const refused = t.rejects(wholeTransaction(impatient, send)(async (tx) => {
        first = await connectionOf(tx)
        await tx.query(`INSERT INTO ${table} VALUES (1)`)
        begun.open()
        await taken.opened
        await until('the pool has another connection', async () =>
          await asked.query(`INSERT INTO ${table} VALUES (2)`).then(() => true, () => false))
        await tx.query(`INSERT INTO ${table} VALUES (3)`)
      }), { message: 'the transaction has ended' })
      await refused
      t.match(rowsOf(await steady.query(`SELECT id FROM ${table}`)), [{ id: 2 }])
      t.not(await connectionOf(asked), first)
    })

    await t.test(`${name}: a further entity that changed since the first read of the transaction is not computed from its old value`, async (t) => {
      const { adapter, orders } = await subject(t)
      await adapter.write('2', { customer: 'Di', skus: [] }, ABSENT)
      let runs = 0
      const result = await adapter.transaction('1', EXISTS, async (tx: PoolConnection, { read }) => {
        await read()
        if (runs++ === 0) await steady.query(`UPDATE ${orders} SET customer = 'Eve', row_version = 2 WHERE id = '2'`)
        await tx.query(`UPDATE ${orders} SET row_version = row_version + 1 WHERE id = '1'`)
        await adapter.transaction('2', EXISTS, async (tx: PoolConnection, { read }) => {
          const { value } = (await read())!
          const sql = `UPDATE ${orders} SET customer = ?, row_version = row_version + 1 WHERE id = '2'`
          await tx.query(sql, [`${value.customer}, too`])
        }, { context: { client: tx } })
      })
      t.match(result, { applied: true })
      t.equal((await adapter.read('2'))?.value.customer, 'Eve, too')
    })

    await t.test(`${name}: connections come back with autocommit, and without what somebody left open`, async (t) => {
      const { passed, asked } = pools(t, 1)
      const table = uniqueName()
      await steady.query(`CREATE TABLE ${table} (id int)`)
      const transaction = mysqlTransaction<PoolConnection>(passed)
      const left = await asked.getConnection()
      await left.query('BEGIN')
      await left.query(`INSERT INTO ${table} VALUES (1)`)
      await left.release()
      await transaction(async (tx) => await tx.query(`INSERT INTO ${table} VALUES (2)`))
      await t.rejects(transaction(async () => { throw new Error('of the work') }), { message: 'of the work' })
      t.match(rowsOf(await asked.query('SELECT @@autocommit AS is_on')), [{ is_on: 1 }])
      t.match(rowsOf(await asked.query(`SELECT id FROM ${table}`)), [{ id: 2 }])
    })
  }
})

const closing: Array<[failing: string, work: () => Promise<unknown>, end: string]> = [
  ['COMMIT', async () => 'done', 'no answer'],
  ['SET autocommit = 1', async () => 'done', 'done'],
  ['ROLLBACK', async () => { throw new Error('of the work') }, 'of the work']
]
for (const [failing, work, end] of closing) {
  await t.test(`a connection on which ${failing} failed is closed, and not given back`, async (t) => {
    const ends: string[] = []
    let hasBegun = false
    const connection = {
      async query (sql: string) {
        if (hasBegun && sql === failing) throw new Error('no answer')
        hasBegun ||= sql.startsWith('SAVEPOINT')
      },
      release: () => ends.push('released'),
      destroy: () => ends.push('closed')
    }
    const transaction = mysqlTransaction({ getConnection: async () => connection })
    t.equal(await transaction(work).catch((error: Error) => error.message), end)
    t.strictSame(ends, ['closed'])
  })
}

/** A transaction over a connection that answers these statements with an error, and what was sent on it. */
const fakes: Record<string, (failing: string, error: Error) => { transaction: Transaction, sent: string[] }> = {
  mysqlTransaction (failing, error) {
    const { sent, connection } = failingConnection(failing, error)
    return { sent, transaction: mysqlTransaction({ getConnection: async () => connection }) }
  },
  wholeTransaction (failing, error) {
    const { sent, connection } = failingConnection(failing, error)
    const pool = { getConnection: async () => connection } as unknown as Pool
    return { sent, transaction: wholeTransaction(ofOrm(pool), send) }
  }
}

function failingConnection (failing: string, error: Error) {
  const sent: string[] = []
  const connection = {
    async query (sql: string) {
      sent.push(sql)
      if (sql.startsWith(failing)) throw error
    },
    release () {},
    destroy () {}
  }
  return { sent, connection }
}

const ofServer = (errno: number, sqlState: string) => Object.assign(new Error('of the server'), { errno, sqlState })

for (const [name, fake] of Object.entries(fakes)) {
  const adapterOver = (transaction: Transaction) => {
    let version = 1
    return transactionsAdapter<unknown, object, PoolConnection>({
      client: {},
      transaction,
      toId: (key) => key,
      version: () => version,
      read: () => ({ version, value: 1 }),
      save: () => { version++ }
    })
  }

  await t.test(`${name}: a transaction that another node of a cluster aborted while it did nothing is run again`, async (t) => {
    withoutPauses(t)
    const { transaction, sent } = fake('RELEASE SAVEPOINT', ofServer(1213, '40001'))
    const code = 'FST_IF_MATCH_CONTENTION'
    await t.rejects(adapterOver(transaction).write('k', 1, EXISTS), { code, message: /16/ })
    t.equal(sent.filter((sql) => sql === 'SAVEPOINT if_match').length, 16)
    t.notMatch(sent.join(), /COMMIT/)
    await t.rejects(transaction(async () => {}), { code, cause: { message: /another transaction/ } })
  })

  const lost = Object.assign(new Error('lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true })
  for (const [failing, code] of [['COMMIT', 'OUTCOME_UNKNOWN'], ['RELEASE', 'STORAGE_UNAVAILABLE']] as const) {
    await t.test(`${name}: a lost answer to ${failing} is ${code}`, async (t) => {
      await t.rejects(adapterOver(fake(failing, lost).transaction).write('k', 1, EXISTS), {
        code: `FST_IF_MATCH_${code}`
      })
    })
  }
}

await t.test('wholeTransaction: what the server has committed is told as done, whatever becomes of the COMMIT of the ORM', async (t) => {
  const sent: string[] = []
  const send = async (_tx: string, sql: string) => { sent.push(sql) }
  const failing = async (work: (tx: string) => Promise<unknown>) => {
    await work('tx')
    throw new Error('of the COMMIT of the ORM')
  }
  t.equal(await wholeTransaction(failing, send)(async () => 'done'), 'done')
  t.strictSame(sent.slice(-2), ['COMMIT NO RELEASE', "SET autocommit = 1, completion_type = 'NO_CHAIN'"])
  const never = wholeTransaction<string>(async () => { throw new Error('no connection') }, send)
  await t.rejects(never(async () => 'done'), { message: 'no connection' })
  t.equal(await wholeTransaction<string>(async () => {}, send)(async () => 'done'), undefined, 'nothing was run')
})

await t.test('wholeTransaction: a connection that could not be set back keeps the completion type by which the server closes it', async (t) => {
  for (const [failing, isTold] of [['ROLLBACK NO RELEASE', true], ['SET autocommit = 1', false]] as const) {
    const { sent, connection } = failingConnection(failing, new Error('refused'))
    const transaction = wholeTransaction(async (work) => await work(connection), send as never)
    const work = async (): Promise<unknown> => {
      if (isTold) throw new Error('of the work')
      return 'done'
    }
    t.equal(await transaction(work).catch((error: Error) => error.message), isTold ? 'of the work' : 'done')
    t.equal(sent[0], "SET autocommit = 0, completion_type = 'RELEASE'")
    t.match(sent.at(-1), failing, 'nothing more is sent')
  }
})
