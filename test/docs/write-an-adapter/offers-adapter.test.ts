import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { checkKey, jsonText } from 'fastify-if-match/storage'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { offersAdapter, type Mapping } from './offers-adapter.js'

const schema = readFileSync('test/docs/write-an-adapter/offers.sql', 'utf8')

// Any JSON under any key, in the same columns. Each of them is made of the value, so one that is not written shows.
const anything: Mapping<unknown> = {
  toId (key) {
    checkKey(key)
    return key
  },
  toColumns (value) {
    const title = jsonText(value)
    return { title, price: checksum(title), published: checksum(title) % 2 }
  },
  toValue ({ title, price, published }) {
    assert.deepEqual({ price, published }, { price: checksum(title), published: checksum(title) % 2 })
    return JSON.parse(title)
  }
}

function checksum (text: string): number {
  return Buffer.from(text).reduce((sum, byte) => (sum * 31 + byte) % 65_521)
}

await conformanceSuite({
  test: (title, run) => t.test(title, run),               // or `test` of node:test or vitest
  list: false,
  async createAdapter () {
    const folder = mkdtempSync(join(tmpdir(), 'offers-'))
    const handles: Database.Database[] = []
    const connect = () => {
      const database = new Database(join(folder, 'test.db'), { timeout: 0 })
      handles.push(database)
      return database
    }
    connect().exec(schema)
    return {
      adapter: offersAdapter(connect(), anything),
      another: async () => offersAdapter(connect(), anything),
      // An outage: one connection has the whole file to itself, and neither reads nor writes of the others get through.
      async cut () {
        const owner = connect().exec('BEGIN EXCLUSIVE')
        return async () => { owner.exec('ROLLBACK') }
      },
      async close () {
        for (const database of handles) database.close()
        rmSync(folder, { recursive: true })
      }
    }
  }
})
