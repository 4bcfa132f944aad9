import { inspect } from 'node:util'
import t from 'tap'
import {
  constraintFault, engineFault, isBusy, isConstraint, isLocked, loggable, mistakeFault, mysqlFault, readFault,
  sqliteFault, sqlStateFault
} from '../../../../lib/storage/statements/faults.js'

const coded = (code: unknown): Error => Object.assign(new Error('simulated'), { code, detail: 'a secret' })
const ofMysql = (errno: number, sqlState = 'HY000'): Error =>
  Object.assign(new Error('a secret'), { code: 'ER_NAME', errno, sqlState, sqlMessage: 'a secret', sql: 'a secret' })
const meaning = (fault: Error | undefined): unknown =>
  (fault as { code?: string } | undefined)?.code?.replace('FST_IF_MATCH_', '')

await t.test('an SQLSTATE is a rollback: a conflict, an error of the value, contention, a mistake of the server, or an outage', async (t) => {
  const cases = {
    CONSTRAINT: ['23001', '23503', '23505', '23P01'],
    INVALID_VALUE: ['22001', '22003', '22P05', '23502', '23514', 'P0001'],
    CONTENTION: ['40001', '40P01'],
    STORAGE_FAULT: ['0A000', '42501', '42703', '42P01'],
    STORAGE_UNAVAILABLE: ['25006', '25P02', '28P01', '40000', '53300', '55P03', '57014', 'HV000']
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
  const thrown = [new Error('Connection terminated unexpectedly'), new TypeError('a bug'), 'text', undefined, null]
  for (const error of thrown) t.equal(sqlStateFault(error), undefined)
})

await t.test('a result code of SQLite is a conflict, an error of the value, a mistake of the server, an outage, or a failed disk, which proves nothing', async (t) => {
  const cases = {
    CONSTRAINT: [
      'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_ROWID',
      'SQLITE_CONSTRAINT_FOREIGNKEY'
    ],
    INVALID_VALUE: [
      'SQLITE_CONSTRAINT', 'SQLITE_CONSTRAINT_CHECK', 'SQLITE_CONSTRAINT_NOTNULL', 'SQLITE_CONSTRAINT_TRIGGER',
      'SQLITE_MISMATCH', 'SQLITE_TOOBIG'
    ],
    STORAGE_FAULT: ['SQLITE_ERROR', 'SQLITE_RANGE', 'SQLITE_MISUSE'],
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

await t.test('a number of MySQL is a conflict, an error of the value, contention, a mistake of the server, an outage, or leaves it open', async (t) => {
  const cases: Record<string, Error[]> = {
    CONSTRAINT: [ofMysql(1062, '23000'), ofMysql(1451, '23000')],
    INVALID_VALUE: [ofMysql(1406, '22001'), ofMysql(4025, '23000'), ofMysql(1644, '45000')],
    CONTENTION: [ofMysql(1213, '40001'), ofMysql(1020)],
    STORAGE_FAULT: [ofMysql(1146), ofMysql(1364)],
    STORAGE_UNAVAILABLE: [
      ofMysql(1205), ofMysql(1317, '70100'), ofMysql(1040, ''), ofMysql(1290), new Error('No connections available.')
    ]
  }
  for (const [code, errors] of Object.entries(cases)) {
    for (const error of errors) {
      const fault = mysqlFault(error)
      t.equal(meaning(fault), code, inspect(error))
      t.match(fault?.cause, { message: /^MySQL: / })
      if (code !== 'STORAGE_FAULT') t.notMatch(inspect(fault, { depth: 9 }), /a secret/)
    }
  }
  const lost = Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true })
  for (const open of [lost, ofMysql(1030), coded('23505'), coded('SQLITE_FULL'), new TypeError('a bug'), undefined]) {
    t.equal(mysqlFault(open), undefined, inspect(open))
  }
})

await t.test('engineFault takes each error for one of its own engine alone', async (t) => {
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' })
  const cases: Array<[error: unknown, code: string, cause: RegExp]> = [
    [coded('23505'), 'CONSTRAINT', /^PostgreSQL/],
    [ofMysql(1062, '23000'), 'CONSTRAINT', /^MySQL/],
    [coded('SQLITE_CONSTRAINT_UNIQUE'), 'CONSTRAINT', /^simulated/],
    // The SQLSTATE of a deadlock is the same on both servers, and stands in another member.
    [coded('40001'), 'CONTENTION', /^PostgreSQL/],
    [ofMysql(1213, '40001'), 'CONTENTION', /^MySQL/],
    [refused, 'STORAGE_UNAVAILABLE', /^PostgreSQL/],
    [Object.assign(new Error('refused'), refused, { fatal: true }), 'STORAGE_UNAVAILABLE', /^MySQL/]
  ]
  for (const [error, code, cause] of cases) {
    const fault = engineFault(error)
    t.equal(meaning(fault), code, inspect(error))
    t.match(fault?.cause, { message: cause })
  }
  // A text that better-sqlite3 has for a closed handle, in an error of MySQL.
  t.equal(engineFault(Object.assign(ofMysql(1030), { message: 'the table is not open' })), undefined)
  for (const none of [coded('ECONNRESET'), new Error('lost'), undefined, null]) t.equal(engineFault(none), undefined)
})

await t.test('what goes to the log of an error of MySQL is its number; other errors go there as they are', async (t) => {
  t.match(loggable(ofMysql(1030)), { message: /\(error 1030\)$/ })
  t.notMatch(inspect(loggable(ofMysql(1030)), { depth: 9 }), /a secret/)
  for (const error of [coded('08006'), new TypeError('a bug'), undefined]) t.equal(loggable(error), error)
})

await t.test('a read that fails is contention, a mistake of the server, or an outage; never an error of the value', async (t) => {
  const cases = {
    CONTENTION: ['40001', '40P01'],
    STORAGE_FAULT: ['42703', '22P02', 'SQLITE_ERROR'],
    STORAGE_UNAVAILABLE: ['08006', '53300', 'SQLITE_BUSY', 'ECONNRESET', 'SQLITE_CONSTRAINT_UNIQUE']
  }
  for (const [code, codes] of Object.entries(cases)) {
    for (const found of codes) t.equal(meaning(readFault(coded(found))), code, found)
  }
  t.match(readFault(new TypeError('a bug')), { code: 'FST_IF_MATCH_STORAGE_FAULT', message: /a read/ })
  const ofNumbers: Array<[string, Error[]]> = [
    ['CONTENTION', [ofMysql(1213, '40001')]],
    ['STORAGE_FAULT', [ofMysql(1054, '42S22'), ofMysql(1366)]],
    ['STORAGE_UNAVAILABLE', [ofMysql(1205), ofMysql(1030), ofMysql(1062, '23000')]]
  ]
  for (const [code, errors] of ofNumbers) for (const error of errors) t.equal(meaning(readFault(error)), code)
  t.notMatch(inspect(readFault(ofMysql(1030)), { depth: 9 }), /a secret/)
  const closed = new TypeError('The database connection is not open')
  for (const thrown of [closed, 'text', undefined, null]) t.equal(meaning(readFault(thrown)), 'STORAGE_UNAVAILABLE')
})

await t.test('a mistake is told whatever the engine; a closed handle is none, though better-sqlite3 throws a TypeError', async (t) => {
  t.match(mistakeFault(coded('42703'), 'unused'), { message: /nothing was changed/, cause: { message: /42703/ } })
  t.match(mistakeFault(ofMysql(1054, '42S22'), 'unused'), {
    message: /nothing was changed/, cause: { message: /^MySQL: .*1054/ }
  })
  t.match(mistakeFault(new TypeError('a bug'), 'so it is'), { message: /so it is/ })
  const closed = new TypeError('The database connection is not open')
  for (const none of [closed, coded('ECONNRESET'), ofMysql(1213, '40001'), undefined]) {
    t.equal(mistakeFault(none, 'unused'), undefined)
  }
})

await t.test('a constraint is told by each engine: a unique key that is taken, rows that refer to each other', async (t) => {
  for (const code of ['23505', '23503', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_FOREIGNKEY']) {
    t.ok(isConstraint(Object.assign(new Error(), { code })), code)
    t.match(constraintFault(Object.assign(new Error(), { code })), { code: 'FST_IF_MATCH_CONSTRAINT' })
  }
  for (const code of ['23514', 'SQLITE_CONSTRAINT_CHECK', 'LOST']) {
    t.notOk(isConstraint(Object.assign(new Error(), { code })), code)
  }
  t.ok(isConstraint(ofMysql(1062, '23000')))
  t.match(constraintFault(ofMysql(1452, '23000')), { code: 'FST_IF_MATCH_CONSTRAINT' })
  t.notOk(isConstraint(ofMysql(4025, '23000')))
  t.notOk(isConstraint(undefined))
  t.equal(constraintFault(new Error('lost')), undefined)
})

await t.test('a lock that was not free is told by each engine', async (t) => {
  t.strictSame([isBusy(coded('SQLITE_BUSY')), isLocked(coded('SQLITE_BUSY'))], [true, true])
  t.strictSame([isBusy(coded('55P03')), isLocked(coded('55P03'))], [false, true])
  t.strictSame([isBusy(ofMysql(1205)), isLocked(ofMysql(1205))], [false, true])
  t.strictSame([isBusy(undefined), isLocked(undefined)], [false, false])
})
