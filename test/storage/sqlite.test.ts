import Database from 'better-sqlite3'
import t from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { sqliteAdapter } from '../../lib/storage/sqlite.js'
import { FaultyHandle, temporaryFile } from './sqlite-handles.js'

await conformanceSuite({
  test: (title, run) => t.test(title, run),
  async createAdapter () {
    const { file, remove } = temporaryFile()
    const handles: FaultyHandle[] = []
    const connect = () => {
      const handle = new FaultyHandle(new Database(file))
      handles.push(handle)
      return sqliteAdapter({ database: handle })
    }
    return {
      adapter: connect(),
      another: async () => connect(),
      async cut () {
        for (const handle of handles) handle.isCut = true
        return async () => { for (const handle of handles) handle.isCut = false }
      },
      async close () {
        for (const handle of handles) handle.close()
        remove()
      }
    }
  }
})
