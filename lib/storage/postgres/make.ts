import { setTimeout as delay } from 'node:timers/promises'
import { InvalidAdapterError } from '../../errors.js'
import type { PostgresSession } from './session.js'
import { createTableSql, quotedTable, type PostgresTableOptions } from './sql.js'

// Of several that make a table at once, PostgreSQL lets one fail although each says IF NOT EXISTS.
const ATTEMPTS = 5
const MADE_BY_ANOTHER = ['23505', '42710', '42P07', 'XX000']

const FORBIDDEN = '42501'

/**
 * Makes the table, unless it is there.
 *
 * @throws FST_IF_MATCH_INVALID_ADAPTER for a user who may not, or what the driver rejects with
 */
export async function makeTable (session: PostgresSession, table: PostgresTableOptions, attempt = 1): Promise<void> {
  try {
    await session.query({ text: createTableSql(table) }, [])
    return
  } catch (error) {
    const { code } = error as { code: string }
    // Who may make no table is told so of one that is there, too.
    if (code === FORBIDDEN) return await checkIsThere(session, table)
    if (attempt === ATTEMPTS || !MADE_BY_ANOTHER.includes(code)) throw error
  }
  await delay(Math.random() * 20 * attempt)
  await makeTable(session, table, attempt + 1)
}

async function checkIsThere (session: PostgresSession, table: PostgresTableOptions): Promise<void> {
  const { name } = quotedTable(table)
  const [found] = (await session.query<{ is_there: boolean }>(
    { text: 'SELECT to_regclass($1::text) IS NOT NULL AS is_there' },
    [name]
  )) as [{ is_there: boolean }]
  if (found.is_there) return
  throw new InvalidAdapterError(
    `cannot use this PostgreSQL database: the user may not make the table. Let somebody who may run: ${createTableSql(table)}; GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} to the user.`
  )
}
