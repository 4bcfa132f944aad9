import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { anything } from './anything.js'
import { offersAdapter } from './offers-adapter.js'
import { schema } from './schema.js'

await conformanceSuite({
  test: (title, run) => t.test(title, run),               // or `test` of node:test or vitest
  list: false,
  async createAdapter () {
    const folder = mkdtempSync(join(tmpdir(), 'offers-'))
    const databases: Database.Database[] = []
    const connect = () => {
      const database = new Database(join(folder, 'test.db'), { timeout: 0 })
      databases.push(database)
      return database
    }
    connect().exec(schema)
    return {
      adapter: offersAdapter(connect(), anything),
      another: async () => offersAdapter(connect(), anything),
      // The outage: one connection has the whole file to itself, so no other can read or write.
      async cut () {
        const owner = connect().exec('BEGIN EXCLUSIVE')
        return async () => { owner.exec('ROLLBACK') }
      },
      async close () {
        for (const database of databases) database.close()
        rmSync(folder, { recursive: true })
      }
    }
  }
})
