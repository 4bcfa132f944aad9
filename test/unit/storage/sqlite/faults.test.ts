import t from 'tap'
import { explain, faultKind } from '../../../../lib/storage/sqlite/faults.js'
import { sqliteError } from '../../../support/sqlite/handles.js'

await t.test('sqlite: errors of better-sqlite3 and of node:sqlite mean the same, extended codes too', async (t) => {
  const cases: Array<[string, number, string]> = [
    ['SQLITE_BUSY', 5, 'BUSY'],
    ['SQLITE_BUSY_SNAPSHOT', 517, 'BUSY'],
    ['SQLITE_READONLY_DBMOVED', 1032, 'READONLY'],
    ['SQLITE_IOERR_FSYNC', 1034, 'IOERR'],
    ['SQLITE_CORRUPT', 11, 'CORRUPT'],
    ['SQLITE_FULL', 13, 'FULL'],
    ['SQLITE_CANTOPEN', 14, 'CANTOPEN'],
    ['SQLITE_TOOBIG', 18, 'TOOBIG'],
    ['SQLITE_CONSTRAINT_TRIGGER', 1811, 'CONSTRAINT'],
    ['SQLITE_CONSTRAINT_CHECK', 275, 'CONSTRAINT'],
    ['SQLITE_MISMATCH', 20, 'CONSTRAINT'],
    ['SQLITE_CONSTRAINT_UNIQUE', 2067, 'CONFLICT'],
    ['SQLITE_CONSTRAINT_PRIMARYKEY', 1555, 'CONFLICT'],
    ['SQLITE_CONSTRAINT_ROWID', 2579, 'CONFLICT'],
    ['SQLITE_CONSTRAINT_FOREIGNKEY', 787, 'CONFLICT'],
    ['SQLITE_ERROR', 1, 'MISTAKE'],
    ['SQLITE_RANGE', 25, 'MISTAKE'],
    ['SQLITE_NOTADB', 26, 'NOTADB'],
    ['SQLITE_NOMEM', 7, 'OTHER']
  ]
  for (const [code, errcode, fault] of cases) {
    t.equal(faultKind(sqliteError(code)), fault, code)
    t.equal(faultKind(Object.assign(new Error('failed'), { code: 'ERR_SQLITE_ERROR', errcode })), fault, `${errcode}`)
  }
  t.equal(faultKind(new RangeError('The bound string, buffer, or bigint is too big')), 'TOOBIG', 'better-sqlite3')
  t.equal(faultKind(new TypeError('The database connection is not open')), 'CLOSED', 'better-sqlite3')
  t.equal(
    faultKind(Object.assign(new Error('database is not open'), { code: 'ERR_INVALID_STATE' })),
    'CLOSED',
    'node:sqlite'
  )
  t.equal(
    faultKind(Object.assign(new Error('statement has been finalized'), { code: 'ERR_INVALID_STATE' })),
    'CLOSED',
    'node:sqlite'
  )
})

await t.test('sqlite: an explanation says what to do, and keeps the error of the driver as its cause', async (t) => {
  const cause = sqliteError('SQLITE_FULL')
  t.match(explain(cause), { message: /disk is full. Make room/, cause })
  const misspelt = Object.assign(new Error('no such column: titel'), { code: 'SQLITE_ERROR' })
  t.match(explain(misspelt), { message: 'SQLite: no such column: titel', cause: misspelt })
  t.match(explain(new Error('something else')), { message: 'SQLite: something else' })
})

await t.test('sqlite: a driver that leaves the extended code out tells a conflict by its text', async (t) => {
  const ofText = (text: string) => Object.assign(new Error(`SQLITE_CONSTRAINT: ${text}`), { code: 'SQLITE_CONSTRAINT' })
  t.equal(faultKind(ofText('UNIQUE constraint failed: offers.title')), 'CONFLICT')
  t.equal(faultKind(ofText('FOREIGN KEY constraint failed')), 'CONFLICT')
  t.equal(faultKind(ofText('CHECK constraint failed: price')), 'CONSTRAINT')
  t.equal(faultKind({ code: 'SQLITE_CONSTRAINT' }), 'CONSTRAINT')
})
