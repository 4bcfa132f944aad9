import t from 'tap'
import { sqliteFault } from '../../../lib/storage/statements/index.js'
import { openItems } from '../../support/sqlite/statements.js'
import { rowVersionCases, sqliteTables } from '../../support/statements/row-versions.js'

for (const [kind, table] of Object.entries(sqliteTables(sqliteFault))) {
  await rowVersionCases(t, `versions by ${kind}`, table, openItems)
}
