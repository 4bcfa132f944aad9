import { readFileSync } from 'node:fs'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startPostgres } from '../../../test/support/services/postgres.js'
import { startProxy } from '../../../test/support/services/proxy.js'
import { skipWithout, type ServiceName } from '../../../test/support/services/programs.js'
import { uniqueName } from '../../../test/support/services/service.js'
import { until } from '../../../test/support/until.js'
import { orderCases } from './cases.js'
import { tablesOf, type OrdersStore, type StoreOptions } from './store.js'

const LEVELS = ['read committed', 'repeatable read', 'serializable']

/** How a client is tried. */
export interface PostgresOptions {
  /** As of a subject. */
  faults?: boolean
  /** What must be installed besides. */
  needs?: ServiceName[]
  /** The isolation levels. The first is tried in full. Default: all three. */
  levels?: string[]
  /** The address that the client gets in place of the server's, such as that of a pooler. */
  through?: (t: Test, url: string) => Promise<string>
}

const script = readFileSync('support/orders/postgres.sql', 'utf8')

/**
 * What a client of PostgreSQL must show, at each level of isolation.
 *
 * @param module the address of the client's `connect.ts`, as it is compiled
 */
export async function ordersOnPostgres (
  name: string,
  module: URL,
  { faults, needs = [], levels = LEVELS, through = async (_t, url) => url }: PostgresOptions = {}
): Promise<void> {
  await t.test(name, { skip: skipWithout('postgres', ...needs) }, async (t) => {
    const { url } = await startPostgres(t)
    for (const [index, level] of levels.entries()) {
      const newStore = async (t: Test, options?: StoreOptions) => await newDatabase(t, url, level, through, options)
      await orderCases(t, { name: `${name}, ${level}`, module, faults }, newStore, index === 0)
    }
  })
}

/** A database on the server at this address, whose own address is that of a proxy. */
export async function newDatabase (
  t: Test,
  url: string,
  level = LEVELS[0]!,
  through: NonNullable<PostgresOptions['through']> = async (_t, url) => url,
  options?: StoreOptions
): Promise<OrdersStore> {
  const name = uniqueName()
  await once(url, `CREATE DATABASE ${name}`)
  t.teardown(async () => await once(url, `DROP DATABASE ${name} WITH (FORCE)`))
  // The level of the database is that of each transaction that does not name one. Nothing here depends on the disk.
  await once(url, `ALTER DATABASE ${name} SET default_transaction_isolation = '${level}'`)
  await once(url, `ALTER DATABASE ${name} SET synchronous_commit = off`)
  await once(url, `ALTER DATABASE ${name} SET deadlock_timeout = '50ms'`)
  const own = new URL(url)
  own.pathname = name
  const pool = new pg.Pool({ connectionString: own.href, max: 4 })
  pool.on('error', () => {})
  t.teardown(async () => { await pool.end() })
  await pool.query(tablesOf(script, options))
  const proxy = await startProxy(t, await through(t, own.href))
  return {
    address: proxy.url,
    act: async (sql) => await again(async () => await pool.query(sql)),
    rows: async (sql) => (await pool.query<object>(sql)).rows,
    async cut () {
      await proxy.refuse()
      return proxy.accept
    }
  }
}

// A job that met another transaction is run again, as jobs are.
async function again<R> (job: () => Promise<R>): Promise<R> {
  return (await until('the job meets nobody', async () => {
    try {
      return { result: await job() }
    } catch (error) {
      if (!['40001', '40P01'].includes((error as { code: string }).code)) throw error
      return undefined
    }
  })).result
}

async function once (url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
