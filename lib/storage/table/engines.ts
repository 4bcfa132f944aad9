import type { Dialect, Engine } from './engine.js'
import { mysql } from './mysql.js'
import { postgres } from './postgres.js'
import { sqlite } from './sqlite.js'

/** The engines by their names. */
export const ENGINES: Readonly<Record<Dialect, Engine>> = { postgres, sqlite, mysql }

/** The dialect of a client, by the methods that its drivers give it; undefined: it is no client that we know. */
export function dialectOf (client: unknown): Dialect | undefined {
  const { prepare, exec, execute, query } = Object(client) as Record<string, unknown>
  if (typeof prepare === 'function' && typeof exec === 'function') return 'sqlite'
  if (typeof query !== 'function') return undefined
  return typeof execute === 'function' ? 'mysql' : 'postgres'
}
