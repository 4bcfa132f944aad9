import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { DataSource } from 'typeorm'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { anything } from './anything.js'
import { Offers, typeormAdapter } from './typeorm-adapter.js'

const schema = readFileSync('test/docs/orm/typeorm.sql', 'utf8')

await conformanceSuite({
  test: (title, run) => t.test(title, run),
  list: false,
  async createAdapter () {
    const folder = mkdtempSync(join(tmpdir(), 'offers-'))
    const database = join(folder, 'test.db')
    const owner = new Database(database).exec(schema)
    const sources: DataSource[] = []
    const connect = async () => {
      const source = await new DataSource({
        type: 'better-sqlite3',
        database,
        timeout: 0,
        entities: [Offers]
      }).initialize()
      sources.push(source)
      return typeormAdapter(source, anything)
    }
    return {
      adapter: await connect(),
      another: connect,
      // An outage: one connection has the whole file to itself.
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
