import mysql2 from 'mysql2'
import t, { type Test } from 'tap'
import type { TransactionAdapter, Work } from 'fastify-if-match'
import { mysqlTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { barrier } from '../../support/barrier.js'
import { ABSENT, EXISTS, versionIn } from '../../support/expectations.js'
import { configOf, driversOf, rowsOf, type Pool, type PoolConnection } from '../../support/mysql/drivers.js'
import { startMariadb } from '../../support/services/mariadb.js'
import { skipWithout } from '../../support/services/programs.js'
import { uniqueName } from '../../support/services/service.js'

interface Order { customer: string, skus: string[] }

/** What a transaction and a read are sent with. */
type Client = Pick<PoolConnection, 'query'>

/** The pool that is passed to mysqlTransaction, and the same one with promises. */
interface Pools { passed: object, asked: Pool }

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
    async function subject (t: Test, options: { isolation?: 'READ COMMITTED' | 'SERIALIZABLE' } = {}) {
      const { passed } = pools(t, 8)
      const [orders, lines] = [`orders_${uniqueName()}`, `lines_${uniqueName()}`]
      await steady.query(
        `CREATE TABLE ${orders} (id varchar(40) PRIMARY KEY, customer text NOT NULL, row_version int NOT NULL)`
      )
      await steady.query(
        `CREATE TABLE ${lines} (
          order_id varchar(40) NOT NULL REFERENCES ${orders} (id) ON DELETE CASCADE, sku varchar(40) UNIQUE)`
      )
      await steady.query(`INSERT INTO ${orders} VALUES ('1', 'Ada', 1)`)
      const adapter: TransactionAdapter<Order> = transactionsAdapter<Order, Client, PoolConnection>({
        client: steady,
        transaction: mysqlTransaction(passed, options.isolation),
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
          return { version, value: { customer, skus: found.map(({ sku }) => sku as string) } }
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
        remove: (tx, id) => tx.query(`DELETE FROM ${orders} WHERE id = ?`, [id])
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

    for (const isolation of [undefined, 'READ COMMITTED', 'SERIALIZABLE'] as const) {
      await t.test(`${name}: of 8 that write under one version one wins, and of 8 that create one; at ${isolation ?? 'the level of the server'}`, async (t) => {
        const { adapter } = await subject(t, isolation && { isolation })
        for (const [key, expectation] of [['1', versionIn('1')], ['new', ABSENT]] as const) {
          const orderOf = (writer: unknown): Order => ({ customer: `${writer}`, skus: [`${key} of ${writer}`] })
          const results = await Promise.all(
            Array.from({ length: 8 }, (_, writer) => adapter.write(key, orderOf(writer), expectation))
          )
          const winners = results.flatMap(({ applied }, writer) => applied ? [writer] : [])
          t.equal(winners.length, 1)
          t.strictSame((await adapter.read(key))?.value, orderOf(winners[0]))
        }
      })
    }

    await t.test(`${name}: after a deadlock that the work swallowed, nothing that follows is stored: 500`, async (t) => {
      const { adapter, orders } = await subject(t)
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
      t.match(failed[0], { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message: /deadlock/ } })
      const rows = rowsOf(await steady.query(`SELECT customer, row_version FROM ${orders} ORDER BY row_version`))
      t.match(rows, [{ customer: 'half', row_version: 1 }, { customer: 'half', row_version: 2 }], 'the other alone')
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

    await t.test(`${name}: a connection that is lost in the work, or at COMMIT, leaves the pool, which goes on`, async (t) => {
      const { passed, asked } = pools(t, 1)
      const transaction = mysqlTransaction<PoolConnection>(passed)
      const kill = async (tx: PoolConnection) => await steady.query(`KILL ${tx.threadId}`)
      await t.rejects(transaction(async (tx) => { await kill(tx); await tx.query('SELECT sleep(60)') }))
      await t.rejects(transaction(kill), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
      t.match(rowsOf(await asked.query('SELECT 1 AS one')), [{ one: 1 }])
    })
  }
})

for (const [failing, isTold] of [['COMMIT', true], ['SET autocommit = 1', false]] as const) {
  await t.test(`a connection on which ${failing} failed is closed, and not given back`, async (t) => {
    const ends: string[] = []
    const connection = {
      query: async (sql: string) => { if (sql === failing) throw new Error('no answer') },
      release: () => ends.push('released'),
      destroy: () => ends.push('closed')
    }
    const transaction = mysqlTransaction({ getConnection: async () => connection })
    t.equal(await transaction(async () => 'done').catch((error: Error) => error.message), isTold ? 'no answer' : 'done')
    t.strictSame(ends, ['closed'])
  })
}
