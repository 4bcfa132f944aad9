import { EventEmitter } from 'node:events'
import { PGlite } from '@electric-sql/pglite'
import type { Test } from 'tap'
import { DataSource, type EntitySchema } from 'typeorm'

/** A source on an empty PostgreSQL in this process, closed when the test ends. */
export async function postgresSource (t: Test, entities: EntitySchema[]): Promise<DataSource> {
  const database = await PGlite.create()
  const source = new DataSource({ type: 'postgres', driver: driverOf(database), entities, installExtensions: false })
  t.teardown(async () => {
    await source.destroy()
    await database.close()
  })
  return await source.initialize()
}

// What TypeORM asks of pg: a pool that lends connections. PGlite has one, which runs one statement after the other.
function driverOf (database: PGlite): object {
  class Connection extends EventEmitter {
    async query (sql: string, values?: unknown[]): Promise<object> {
      const { rows, affectedRows } = await database.query(sql, values)
      return { rows, rowCount: affectedRows, command: /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() }
    }
  }
  return {
    Pool: class extends EventEmitter {
      connect (use: (error: undefined, connection: Connection, release: () => void) => void): void {
        use(undefined, new Connection(), () => {})
      }

      end (ended: () => void): void {
        ended()
      }
    }
  }
}
