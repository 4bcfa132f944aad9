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

/** A client that notes each statement that goes over it, and acts on it as the test says. */
export interface Noted<C> {
  client: C
  texts: string[]
  /** Called in place of each statement; `send` carries the statement out. */
  around: (text: string, send: () => Promise<unknown>) => Promise<unknown>
  /** How many statements a step sends. */
  count (step: () => Promise<unknown>): Promise<number>
}

/** A client with promises, or a pool of them, that notes its statements. */
export function noted<C extends object> (client: C): Noted<C> {
  const note: Noted<C> = {
    client: around(client),
    texts: [],
    around: async (_text, send) => await send(),
    async count (step) {
      const before = note.texts.length
      await step()
      return note.texts.length - before
    }
  }
  function around<O extends object> (object: O): O {
    return new Proxy(object, {
      get (target, name) {
        const found: unknown = Reflect.get(target, name)
        if (typeof found !== 'function') return found
        if (name === 'getConnection') return async () => around(await found.call(target))
        if (name !== 'execute') return found.bind(target)
        return async (statement: { sql: string }, values: unknown[]) => {
          // What MySQL is told and asked ahead, and MariaDB in the statement itself.
          if (/^(DO 0|SET SESSION)/.test(statement.sql)) return await found.call(target, statement, values)
          note.texts.push(statement.sql)
          return await note.around(statement.sql, async () => await found.call(target, statement, values))
        }
      }
    })
  }
  return note
}

/** The warnings of the adapter during a step. */
export async function warningsOf (step: () => Promise<unknown>): Promise<Array<{ code: string, message: string }>> {
  const warnings: Array<{ code: string, message: string }> = []
  const note = ({ code = '', message }: Error & { code?: string }) => {
    if (code.startsWith('FST_IF_MATCH_MYSQL_')) warnings.push({ code, message })
  }
  process.on('warning', note)
  try {
    await step()
    await new Promise(setImmediate)
  } finally {
    process.off('warning', note)
  }
  return warnings
}
