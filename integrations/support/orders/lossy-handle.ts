import type Database from 'better-sqlite3'
import type { Mend } from 'fastify-if-match/conformance'

/** A handle of better-sqlite3 that can lose its file, as when a disk goes away. What is under way is rolled back. */
export function lossyHandle (handle: Database.Database): { db: Database.Database, cut: () => Promise<Mend> } {
  let isCut = false
  const lost = () => { throw Object.assign(new Error('the file is away'), { code: 'SQLITE_CANTOPEN' }) }
  const db = new Proxy(handle, {
    get (target, name) {
      if (isCut && name === 'inTransaction') return true
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return isCut && (name === 'exec' || name === 'prepare') ? lost : member.bind(target)
    }
  })
  return {
    db,
    async cut () {
      isCut = true
      if (handle.inTransaction) handle.exec('ROLLBACK')
      return async () => { isCut = false }
    }
  }
}
