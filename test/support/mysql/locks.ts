import type { Test } from 'tap'
import { until } from '../until.js'
import { rowsOf, type Pool } from './drivers.js'

/** Ends a transaction, and gives its connection back. */
export type End = (how: 'COMMIT' | 'ROLLBACK') => Promise<void>

/** Another connection in a transaction, with what these statements locked. The test ends the transaction. */
export async function inTransaction (t: Test, pool: Pool, ...texts: string[]): Promise<End> {
  const connection = await pool.getConnection()
  let isOver = false
  t.teardown(() => { if (!isOver) connection.destroy() })
  for (const text of ['BEGIN', ...texts]) await connection.query(text)
  return async (how) => {
    isOver = true
    await connection.query(how)
    void connection.release()
  }
}

/** Locks the rows of the table that exist. */
export const lockRows = (table: string): string => `UPDATE ${table} SET digest = 'locked'`

/** Locks a key that has no row. */
export const lockNew = (table: string, key: string): string =>
  `INSERT INTO ${table} (\`key\`, version, value) VALUES ('${key}', 'theirs', '1')`

/** A table with so many rows that a deadlock rolls back somebody else than the one who changed them. */
export async function manyRows (pool: Pool, table: string): Promise<void> {
  await pool.query(`CREATE TABLE ${table} (n int PRIMARY KEY, text varchar(9)) ENGINE = InnoDB`)
  const rows = Array.from({ length: 100 }, (_, index) => `(${index}, '')`)
  await pool.query(`INSERT INTO ${table} VALUES ${rows.join(', ')}`)
}

/** The threads that wait for a lock of a row in a statement on this table, once there are so many. */
export async function untilWaiting (pool: Pool, table: string, count = 1): Promise<number[]> {
  return await until(`${count} wait for a lock`, async () => {
    // Other tables of the server are filled at most ten times a second (engine-facts#mariadb-innodb-trx-cache).
    const [{ Status: status }] = rowsOf(await pool.query('SHOW ENGINE INNODB STATUS')) as [{ Status: string }]
    const waiting = status.split('---TRANSACTION').filter((part) => /^LOCK WAIT/m.test(part) && part.includes(table))
    const threads = waiting.map((part) => Number(/thread id (\d+)/.exec(part)![1]))
    return threads.length >= count && threads
  })
}
