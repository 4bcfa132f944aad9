import t from 'tap'
import { sqlReadError, sqlWriteError, type SqlFault } from '../../../../lib/storage/kit/sql-errors.js'

const cause = new Error('Engine: a column refused the row. (22001)')
const WRITES: Record<SqlFault, { code: string, statusCode: number }> = {
  RETRY: { code: 'FST_IF_MATCH_CONTENTION', statusCode: 503 },
  LOCKED: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', statusCode: 503 },
  CANCELLED: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', statusCode: 503 },
  CONSTRAINT: { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409 },
  ROW: { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422 },
  MISTAKE: { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500 },
  NOT_APPLIED: { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', statusCode: 503 },
  UNKNOWN: { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', statusCode: 503 }
}
const FAULTS = Object.keys(WRITES) as SqlFault[]

await t.test('sql errors: each kind of a failed write is its error of the contract, with its cause; only a lost answer is unknown', async (t) => {
  for (const fault of FAULTS) {
    const error = sqlWriteError(fault, cause, 3, false)
    t.match(error, { ...WRITES[fault], cause }, fault)
  }
  t.match(sqlWriteError('ROW', cause, 1, false).message, /Engine says that a column refused the row \(22001\)/)
})

await t.test('sql errors: inside a transaction of the app a lock that is not free is contention, and nothing else changes', async (t) => {
  for (const fault of FAULTS) {
    const { code } = fault === 'LOCKED' ? WRITES.RETRY : WRITES[fault]
    t.match(sqlWriteError(fault, cause, 1, true), { code, cause }, fault)
  }
})

await t.test('sql errors: no outcome of a read is unknown, and no client is to blame for one', async (t) => {
  for (const fault of FAULTS) {
    const isRefused = fault === 'ROW' || fault === 'MISTAKE'
    const { code } = fault === 'RETRY' ? WRITES.RETRY : isRefused ? WRITES.MISTAKE : WRITES.NOT_APPLIED
    t.match(sqlReadError(fault, cause, 1), { code, cause }, fault)
  }
})
