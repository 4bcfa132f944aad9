import type pg from 'pg'
import type { Test } from 'tap'
import { until } from '../until.js'

/** Ends a transaction, and gives its connection back. */
export type End = (how: 'COMMIT' | 'ROLLBACK') => Promise<void>

/** Another client in a transaction, with what these statements locked. The test ends the transaction. */
export async function inTransaction (t: Test, pool: pg.Pool, ...texts: string[]): Promise<End> {
  const client = await pool.connect()
  let isOver = false
  const release = () => {
    if (!isOver) client.release()
    isOver = true
  }
  t.teardown(release)
  for (const text of ['BEGIN', ...texts]) await client.query(text)
  return async (how) => {
    await client.query(how)
    release()
  }
}

/** Locks the rows of the table that exist. */
export const lockRows = (table: string): string => `UPDATE ${table} SET digest = 'locked'`

/** Locks a key that has no row. */
export const lockNew = (table: string, key: string): string =>
  `INSERT INTO ${table} VALUES ('${key}', 'theirs', NULL, NULL, '1')`

/** The backends that wait for a lock in a statement on this table, once there are so many. */
export async function untilWaiting (client: pg.Pool | pg.PoolClient, table: string, count = 1): Promise<number[]> {
  return await until(`${count} wait for a lock`, async () => {
    const { rows } = await client.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'",
      [table]
    )
    return rows.length >= count && rows.map(({ pid }) => pid)
  })
}

/** Resolves when the server carries out no statement on this table any more: nothing can be applied after that. */
export async function untilNothingRuns (pool: pg.Pool, table: string): Promise<void> {
  await until('no statement is under way', async () => {
    const { rows } = await pool.query(
      "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%' || $1 || '%'",
      [table]
    )
    return rows.length === 0
  })
}
