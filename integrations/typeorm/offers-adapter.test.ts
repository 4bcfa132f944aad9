import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { DataSource } from 'typeorm'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { anything } from '../anything.js'
import { Offers, offersAdapter } from './offers-adapter.js'
import { schema } from './schema.js'

await conformanceSuite({
  test: (title, run) => t.test(title, run),
  list: false,
  async createAdapter () {
    const folder = mkdtempSync(join(tmpdir(), 'offers-'))
    const database = join(folder, 'test.db')
    const owner = new Database(database).exec(schema)
    const sources: DataSource[] = []
    const connect = async () => {
      const source = new DataSource({ type: 'better-sqlite3', database, timeout: 0, entities: [Offers] })
      sources.push(await source.initialize())
      return offersAdapter(source, anything)
    }
    return {
      adapter: await connect(),
      another: connect,
      // The outage: one connection has the whole file to itself, so no other can read or write.
      async cut () {
        owner.exec('BEGIN EXCLUSIVE')
        return async () => { owner.exec('ROLLBACK') }
      },
      async close () {
        for (const source of sources) await source.destroy()
        owner.close()
        rmSync(folder, { recursive: true })
      }
    }
  }
})
