import pg from 'pg'
import type { Test } from 'tap'
import type { CreateAdapter } from 'fastify-if-match/conformance'
import {
  postgresAdapter,
  type PostgresAdapterOptions,
  type PostgresClient
} from '../../../lib/storage/postgres/index.js'
import { uniqueName } from '../services/service.js'

/** Bounds that a busy machine does not reach: where a test is about a bound, it sets its own. */
export const PATIENT = { timeout: 60_000, lockTimeout: 30_000 }

/** A pool that ends with the test. */
export function poolTo (t: Test, url: string, config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 8, connectionTimeoutMillis: PATIENT.timeout, ...config })
  pool.on('error', () => {})
  // One of its connections may be half-open, and then it never ends.
  t.teardown(() => { void pool.end() })
  return pool
}

/** For a pool where nothing depends on the disk. */
export const QUICK = { options: '-c synchronous_commit=off' }

/** A client that notes each statement that goes over it, and acts where the test says so. */
export class NotingClient implements PostgresClient {
  readonly texts: string[] = []
  readonly names: Array<string | undefined> = []
  /** Called with each statement and what is still to be done for it. */
  around: (text: string, send: () => Promise<{ rows: unknown[] }>) => Promise<{ rows: unknown[] }> = async (
    _text,
    send
  ) => await send()

  readonly #client: PostgresClient

  constructor (client: PostgresClient) {
    this.#client = client
  }

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

/** What the conformance suite works on: a table for each case, and adapters on these two clients. The third one is never cut off. */
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
      close: async () => {
        await steady.query(`DROP TABLE ${table}`)
      }
    }
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
