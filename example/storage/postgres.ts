import { Socket } from 'node:net'
import pg from 'pg'
import { postgresAdapter } from 'fastify-if-match/storage/postgres'
import { closing } from './closing.js'
import type { CreateStorage } from './create-storage.js'
import { OpenSockets } from './open-sockets.js'
import { SettingError } from './setting-error.js'

/** `postgres://…`, as libpq has it. The table is made where it is missing. */
export const createPostgres: CreateStorage = (setting) => {
  const sockets = new OpenSockets()
  const pool = poolOf(setting, () => sockets.add(new Socket()))
  // The pool drops a connection that the server closed while it was idle. Without a listener the process would end
  // (engine-facts#pg-pool-error-listener).
  pool.on('error', () => {})
  const adapter = postgresAdapter({ client: pool })
  const open = async (): Promise<void> => {
    await adapter.createTable()
    await adapter.open?.()
  }
  return closing({ ...adapter, open }, async () => {
    sockets.destroySoon()
    await pool.end()
  })
}

function poolOf (connectionString: string, stream: () => Socket): pg.Pool {
  if (!isAddress(connectionString)) {
    throw new SettingError(
      'STORAGE',
      'accepts "postgres://user:password@host:port/database", with what is special in a password percent-encoded'
    )
  }
  return new pg.Pool({
    connectionString,
    stream,
    connectionTimeoutMillis: 2000,
    keepAlive: true,
    application_name: 'offers-api'
  })
}

// A pool reads its address when it first connects, which is too late for a clear error.
function isAddress (connectionString: string): boolean {
  try {
    return Number.isInteger(new pg.Client({ connectionString }).port)
  } catch {
    return false
  }
}
