import pg from 'pg'
import type { Test } from 'tap'
import type { CreateAdapter } from 'fastify-if-match/conformance'
import {
  postgresAdapter,
  type PostgresAdapterOptions,
  type PostgresClient
} from '../../../lib/storage/postgres/index.js'
import { uniqueName } from '../services/service.js'

/** Bounds that a busy machine does not reach. A test that is about a bound sets its own. */
export const PATIENT = { timeout: 60_000, lockTimeout: 30_000 }

/** Bounds that no test reaches: an operation that waits for one of them hangs, until the runner ends the file. */
export const ENDLESS = { timeout: 2_000_000, lockTimeout: 1_000_000 }

/** Options of a pool, for tests in which nothing depends on the disk. */
export const QUICK = { options: '-c synchronous_commit=off' }

/** A pool that ends with the test. */
export function poolTo (t: Test, url: string, config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 8, connectionTimeoutMillis: PATIENT.timeout, ...config })
  pool.on('error', () => {})
  // Not awaited: a half-open connection keeps a pool from its end. A test may have ended it.
  t.teardown(() => { void pool.end().catch(() => {}) })
  return pool
}

/** A client that notes each statement that goes over it, and acts on it as the test says. */
export class NotingClient implements PostgresClient {
  readonly texts: string[] = []
  readonly names: Array<string | undefined> = []
  readonly #client: PostgresClient

  constructor (client: PostgresClient) {
    this.#client = client
  }

  /** Called in place of each statement; `send` carries the statement out. */
  around: (text: string, send: () => Promise<{ rows: unknown[] }>) => Promise<{ rows: unknown[] }> =
    async (_text, send) => await send()

  async query (query: string | { name?: string, text: string }, values?: unknown[]): Promise<{ rows: unknown[] }> {
    const text = typeof query === 'string' ? query : query.text
    this.texts.push(text)
    this.names.push(typeof query === 'string' ? undefined : query.name)
    return await this.around(text, async () => await this.#client.query(query as string, values))
  }

  /** How many statements a step sends. */
  async count (step: () => Promise<unknown>): Promise<number> {
    const before = this.texts.length
    await step()
    return this.texts.length - before
  }
}

/** An open adapter on a table of its own. */
export async function openedAdapter (client: PostgresClient, options: Partial<PostgresAdapterOptions> = {}) {
  const table = uniqueName()
  const adapter = postgresAdapter({ client, table, ...PATIENT, ...options })
  await adapter.createTable()
  await adapter.open!()
  return { adapter, table }
}

/**
 * Subjects of the conformance suite: a table for each case, and adapters on two clients. The third client makes and
 * drops the tables; it is never cut off.
 */
export function subjectsOn (
  client: PostgresClient,
  other: PostgresClient,
  steady: PostgresClient,
  cut?: () => Promise<() => Promise<void>>
): CreateAdapter {
  return async () => {
    const table = uniqueName()
    const connect = (client: PostgresClient) => postgresAdapter({ client, table, ...PATIENT })
    await connect(steady).createTable()
    return {
      adapter: connect(client),
      another: async () => connect(other),
      cut,
      close: async () => { await steady.query(`DROP TABLE ${table}`) }
    }
  }
}

/** A second table, in which a trigger logs each value that is written. Gives the values so far, in order. */
export async function loggedWrites (client: PostgresClient, table: string): Promise<() => Promise<unknown[]>> {
  await client.query(`CREATE TABLE ${table}_log (value text)`)
  await client.query(
    `CREATE FUNCTION ${table}_note () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO ${table}_log VALUES (NEW.value::text); RETURN NULL; END $$`
  )
  await client.query(
    `CREATE TRIGGER note AFTER INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_note ()`
  )
  return async () => {
    const { rows } = await client.query(`SELECT value FROM ${table}_log`) as { rows: Array<{ value: string }> }
    return rows.map(({ value }) => JSON.parse(value))
  }
}

/** The warnings of the adapter during a step. */
export async function warningsOf (step: () => Promise<unknown>): Promise<Array<{ code: string, message: string }>> {
  const warnings: Array<{ code: string, message: string }> = []
  const note = ({ code = '', message }: Error & { code?: string }) => {
    if (code.startsWith('FST_IF_MATCH_POSTGRES_')) warnings.push({ code, message })
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
