import * as mariadb from 'mariadb'
import mysql2 from 'mysql2/promise'
import type { Test } from 'tap'

/** A connection of either driver. */
export interface Connection {
  readonly threadId: number | null
  query (sql: string, values?: unknown[]): Promise<unknown>
  execute (sql: string, values?: unknown[]): Promise<unknown>
  end (): Promise<void>
  destroy (): void
  on (event: 'error', listener: () => void): unknown
}

/** A connection out of a pool. */
export interface PoolConnection extends Connection { release (): unknown }

/** A pool of either driver. */
export interface Pool {
  query (sql: string, values?: unknown[]): Promise<unknown>
  execute (sql: string, values?: unknown[]): Promise<unknown>
  getConnection (): Promise<PoolConnection>
  end (): Promise<void>
}

/** What is the same with both drivers. */
export interface Driver {
  name: string
  connect (t: Test, options?: object): Promise<Connection>
  pool (t: Test, options?: object): Pool
}

/** The rows of an answer: mysql2 gives them with the columns, and mariadb alone. */
export function rowsOf (answer: unknown): Array<Record<string, unknown>> {
  const [first] = answer as unknown[]
  return (Array.isArray(first) ? first : answer) as Array<Record<string, unknown>>
}

/** Whether the server of this client is MariaDB, and not MySQL. */
export async function isMariaDb (client: Pick<Pool, 'query'>): Promise<boolean> {
  return /mariadb/i.test(String(rowsOf(await client.query('SELECT VERSION() AS version'))[0]!.version))
}

export function configOf (url: string): { host: string, port: number, user: string, database: string } {
  const { hostname, port, username, pathname } = new URL(url)
  return { host: hostname, port: Number(port), user: username, database: pathname.slice(1) }
}

/** Both drivers, for the server at this address. Connections and pools end with the test. */
export function driversOf (url: string): Driver[] {
  const config = configOf(url)
  const makers = [
    {
      name: 'mysql2',
      connection: async (options: object) => await mysql2.createConnection({ ...config, ...options }),
      pool: (options: object) => mysql2.createPool({ ...config, ...options })
    },
    {
      name: 'mariadb',
      connection: async (options: object) => await mariadb.createConnection({ ...config, ...options }),
      pool: (options: object) => mariadb.createPool({ ...config, ...options })
    }
  ]
  return makers.map(({ name, connection, pool }) => ({
    name,
    async connect (t, options = {}) {
      const made = await connection(options) as unknown as Connection
      // The driver mariadb throws where nobody listens.
      made.on('error', () => {})
      t.teardown(() => { made.destroy() })
      return made
    },
    pool (t, options = {}) {
      const made = pool(options) as unknown as Pool
      t.teardown(async () => { await made.end().catch(() => {}) })
      return made
    }
  }))
}
