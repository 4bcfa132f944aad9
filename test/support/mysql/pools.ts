import type { Test } from 'tap'
import type { PoolCounts } from '../network-faults.js'
import { driversOf, type Driver, type Pool } from './drivers.js'

/** A pool of either driver that tells of its connections. */
export interface CountedPool {
  client: Pool
  counts: () => PoolCounts
  /** Takes all connections of the pool at once, so that each is there, and gives them back. */
  fill: () => Promise<void>
}

interface PoolOptions {
  /** How many connections it has. */
  connections?: number
  /** How long a caller waits for one, in milliseconds, as far as the driver has a bound for that. */
  patience?: number
}

// What the pool of mysql2 keeps to itself.
interface Queues { pool: Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { length: number }> }

interface MariadbPool { totalConnections (): number, idleConnections (): number, taskQueueSize (): number }

/** A pool of this driver to the server at this address. It ends with the test. */
export function countedPool (
  t: Test,
  name: Driver['name'],
  url: string,
  { connections = 8, patience = 60_000 }: PoolOptions = {}
): CountedPool {
  const driver = driversOf(url).find((driver) => driver.name === name)!
  const own = name === 'mysql2' ? {} : { acquireTimeout: patience, minimumIdle: 0 }
  const client = driver.pool(t, { connectionLimit: connections, connectTimeout: patience, ...own })
  // The pool of mariadb throws where nobody listens.
  ;(client as unknown as NodeJS.EventEmitter).on('error', () => {})
  return {
    client,
    counts: name === 'mysql2' ? () => countsOfMysql2(client as never) : () => countsOfMariadb(client as never),
    async fill () {
      const all = await Promise.all(Array.from({ length: connections }, async () => await client.getConnection()))
      for (const connection of all) await connection.release()
    }
  }
}

function countsOfMysql2 ({ pool }: Queues): PoolCounts {
  const { _allConnections: all, _freeConnections: free, _connectionQueue: queue } = pool
  return { total: all.length, idle: free.length, waiting: queue.length }
}

function countsOfMariadb (pool: MariadbPool): PoolCounts {
  return { total: pool.totalConnections(), idle: pool.idleConnections(), waiting: pool.taskQueueSize() }
}
