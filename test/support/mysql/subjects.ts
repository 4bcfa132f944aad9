import type { CreateAdapter } from 'fastify-if-match/conformance'
import { mysqlAdapter, type MysqlAdapterOptions, type MysqlClient } from '../../../lib/storage/mysql/index.js'
import { uniqueName } from '../services/service.js'
import type { Pool } from './drivers.js'

/** Bounds that a busy machine does not reach. A test that is about a bound sets its own. */
export const PATIENT = { timeout: 60_000, lockTimeout: 30_000 }

/** An open adapter on a table of its own. */
export async function openedAdapter (client: MysqlClient, options: Partial<MysqlAdapterOptions> = {}) {
  const table = uniqueName()
  const adapter = mysqlAdapter({ client, table, ...PATIENT, ...options })
  await adapter.createTable()
  await adapter.open!()
  return { adapter, table }
}

/**
 * Subjects of the conformance suite: a table for each case, and adapters on two clients. The third client makes and
 * drops the tables; it is never cut off.
 */
export function subjectsOn (
  client: MysqlClient,
  other: MysqlClient,
  steady: Pool,
  cut?: () => Promise<() => Promise<void>>
): CreateAdapter {
  return async () => {
    const table = uniqueName()
    const connect = (client: MysqlClient) => mysqlAdapter({ client, table, ...PATIENT })
    await connect(steady).createTable()
    return {
      adapter: connect(client),
      another: async () => connect(other),
      cut,
      close: async () => { await steady.query(`DROP TABLE ${table}`) }
    }
  }
}
