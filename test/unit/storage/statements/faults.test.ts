import { inspect } from 'node:util'
import t from 'tap'
import { sqliteFault, sqlStateFault } from '../../../../lib/storage/statements/faults.js'

const coded = (code: unknown): Error => Object.assign(new Error('simulated'), { code, detail: 'a secret' })
const meaning = (fault: Error | undefined): unknown =>
  (fault as { code?: string } | undefined)?.code?.replace('FST_IF_MATCH_', '')

await t.test('an SQLSTATE is a rollback: an error of the value, of contention, or an outage', async (t) => {
  const cases = {
    INVALID_VALUE: ['22001', '22003', '22P05', '23502', '23505', '23514', '23P01', 'P0001'],
    CONTENTION: ['40001', '40P01'],
    STORAGE_UNAVAILABLE: ['25006', '25P02', '40000', '42P01', '53300', '55P03', '57014', 'HV000']
  }
  for (const [code, states] of Object.entries(cases)) {
    for (const state of states) {
      const error = coded(state)
      const fault = sqlStateFault(error)
      t.equal(meaning(fault), code, state)
      t.match(fault?.cause, { message: new RegExp(`SQLSTATE ${state}`) })
      t.notMatch(inspect(fault, { depth: 9 }), /a secret/)
    }
  }
  for (const syscall of ['connect', 'getaddrinfo']) {
    t.equal(meaning(sqlStateFault(Object.assign(new Error('simulated'), { syscall }))), 'STORAGE_UNAVAILABLE')
  }
  t.equal(meaning(sqlStateFault(new Error('timeout exceeded when trying to connect'))), 'STORAGE_UNAVAILABLE')
})

await t.test('an error that does not tell of a rollback leaves it open: SQLSTATEs of poolers and of a damaged server, codes of Node.js', async (t) => {
  const states = ['08006', '08P01', '08003', '40003', '57P01', '57P02', '58030', 'XX000', 'F0000']
  const others = ['EPIPE', 'E2BIG', 'ECONNRESET', 'ETIMEDOUT', 'SQLITE_BUSY', 'P2025x', 23505, undefined]
  for (const code of [...states, ...others]) t.equal(sqlStateFault(coded(code)), undefined, String(code))
  const thrown = [new Error('Connection terminated unexpectedly'), 'text', undefined, null]
  for (const error of thrown) t.equal(sqlStateFault(error), undefined)
})

await t.test('a result code of SQLite is an error of the value, an outage, or a failed disk, which proves nothing', async (t) => {
  const cases = {
    INVALID_VALUE: ['SQLITE_CONSTRAINT_CHECK', 'SQLITE_CONSTRAINT_NOTNULL', 'SQLITE_TOOBIG'],
    STORAGE_UNAVAILABLE: [
      'SQLITE_BUSY',
      'SQLITE_BUSY_SNAPSHOT',
      'SQLITE_READONLY',
      'SQLITE_FULL',
      'SQLITE_CANTOPEN',
      'SQLITE_NOTADB'
    ],
    OUTCOME_UNKNOWN: ['SQLITE_IOERR', 'SQLITE_IOERR_FSYNC', 'SQLITE_CORRUPT']
  }
  for (const [code, results] of Object.entries(cases)) {
    for (const result of results) {
      const error = coded(result)
      t.equal(meaning(sqliteFault(error)), code, result)
      t.equal(sqliteFault(error)?.cause, error)
    }
  }
  t.equal(meaning(sqliteFault(new TypeError('The database connection is not open'))), 'STORAGE_UNAVAILABLE')
  for (const thrown of [coded('SQLITE_PROTOCOL'), new Error('whatever'), 'text', undefined, null]) {
    t.equal(sqliteFault(thrown), undefined)
  }
})
