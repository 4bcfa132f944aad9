import Database from 'better-sqlite3'
import t from 'tap'
import { errorCodes } from 'fastify-if-match'
import { conformanceSuite, type CreateAdapter } from 'fastify-if-match/conformance'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import { clockedStorage } from '../../../example/storage/clocked-storage.js'
import { subjectsOn } from '../../support/sqlite/handles.js'

/** No value of the suite is an egg, so nothing comes due. */
function settle (value: unknown): unknown {
  return (value as { is?: string } | null)?.is === 'egg' ? { is: 'bird' } : value
}

const overMemory: CreateAdapter = async () => {
  let isCut = false
  const engine = memoryAdapter({
    around (step) {
      if (isCut) throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE()
      return step()
    }
  })
  return {
    adapter: clockedStorage(engine, settle),
    another: async () => clockedStorage(engine, settle),
    async cut () {
      isCut = true
      return async () => { isCut = false }
    }
  }
}

const overSqlite = subjectsOn(
  (file) => new Database(file),
  (database) => clockedStorage(sqliteAdapter({ database }), settle)
)

for (const [engine, createAdapter] of Object.entries({ memory: overMemory, sqlite: overSqlite })) {
  await t.test(`the contract of a storage adapter, over ${engine}`, async (t) => {
    await conformanceSuite({ test: (title, run) => t.test(title, run), createAdapter })
  })
}
