import Database from 'better-sqlite3'
import t from 'tap'
import { errorCodes } from 'fastify-if-match'
import { conformanceSuite, type CreateAdapter } from 'fastify-if-match/conformance'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import { clockedStorage } from '../../../example/storage/clocked-storage.js'
import { subjectsOn } from '../../support/sqlite/handles.js'

type Settle = (value: unknown) => unknown

const isDue = (value: unknown): boolean => (value as { is?: string } | null)?.is === 'egg'

const settlers: Record<string, Settle> = {
  'nothing comes due': (value) => value,
  'some values change': (value) => isDue(value) ? { is: 'bird' } : value
}

function overMemory (settle: Settle): CreateAdapter {
  return async () => {
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
}

function overSqlite (settle: Settle): CreateAdapter {
  return subjectsOn(
    (file) => new Database(file),
    (database) => clockedStorage(sqliteAdapter({ database }), settle)
  )
}

for (const [title, settle] of Object.entries(settlers)) {
  for (const [engine, over] of Object.entries({ memory: overMemory, sqlite: overSqlite })) {
    await t.test(`the contract of a storage adapter, over ${engine}, where ${title}`, async (t) => {
      await conformanceSuite({ test: (title, run) => t.test(title, run), createAdapter: over(settle) })
    })
  }
}
