import Database from 'better-sqlite3'
import type { Test } from 'tap'
import type { EngineClient } from '../statements/engine-cases.js'
import { fileOf } from './handles.js'

/** A handle of better-sqlite3, for statements that have parameters as $1, $2. */
export function clientOf (database: Database.Database): EngineClient {
  return {
    async run (sql, values) {
      const inOrder = [...sql.matchAll(/\$(\d+)/g)].map(([, number]) => values[Number(number) - 1])
      const statement = database.prepare(sql.replaceAll(/\$\d+/g, '?'))
      return statement.reader
        ? { rows: statement.all(...inOrder), count: null }
        : { rows: [], count: statement.run(...inOrder).changes }
    }
  }
}

/** Two handles of a file of its own, in which the SQL was run. */
export async function openItems (t: Test, schema: string): Promise<[EngineClient, EngineClient]> {
  const file = fileOf(t)
  const databases = [new Database(file), new Database(file)] as const
  t.teardown(() => { for (const database of databases) database.close() })
  for (const database of databases) database.pragma('synchronous = OFF')
  databases[0].exec(schema)
  return [clientOf(databases[0]), clientOf(databases[1])]
}
