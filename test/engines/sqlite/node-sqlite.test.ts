import t from 'tap'
import type { SqliteDatabase } from '../../../lib/storage/sqlite/index.js'
import { driverCases } from '../../support/sqlite/driver-cases.js'

interface NodeSqlite {
  DatabaseSync: new (file: string, options: { readOnly: boolean }) => SqliteDatabase & { close: () => void }
}

// A static import would fail the file on a Node.js without this module, and the types do not know it yet.
const sqlite = process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined

if (sqlite === undefined) {
  t.pass('sqlite: works with node:sqlite', {
    skip: `Node ${process.version} has no node:sqlite: run npm test sqlite/node-sqlite with Node 22 or later`
  })
} else {
  const { DatabaseSync } = sqlite
  t.comment(`node:sqlite of Node ${process.version}`)
  await driverCases(t, (file, readOnly = false) => new DatabaseSync(file, { readOnly }))
}
