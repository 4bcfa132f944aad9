import t from 'tap'
import type { Handle } from '../../support/sqlite/handles.js'
import { sqliteCases } from '../../support/table-adapter/sqlite-engine.js'

// A static import would fail the file on a Node.js without this module, and the types do not know it yet.
const sqlite = process.getBuiltinModule('node:sqlite') as { DatabaseSync: new (file: string) => Handle } | undefined

if (sqlite === undefined) {
  t.pass('node:sqlite: the table adapter', { skip: `Node ${process.version} has no node:sqlite` })
} else {
  const { DatabaseSync } = sqlite
  await sqliteCases(t, 'node:sqlite', (file) => new DatabaseSync(file))
}
