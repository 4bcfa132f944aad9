import { connect } from 'node:net'
import { once } from 'node:events'
import { inspect } from 'node:util'
import pg from 'pg'
import t from 'tap'
import {
  explain,
  explainBoot,
  faultKind,
  isUnknownStatement,
  readError,
  writeError
} from '../../../../lib/storage/postgres/faults.js'

const sqlError = (code: string, message = 'simulated') => Object.assign(new Error(message), { code })

await t.test('postgres: an answer with an SQLSTATE is a rollback, and tells the kind of the fault', async (t) => {
  const cases: Array<[string, string[]]> = [
    ['RETRY', ['40001', '40P01']],
    ['LOCKED', ['55P03']],
    ['CONSTRAINT', ['23001', '23503', '23505', '23P01']],
    ['ROW', ['22P02', '22P05', '22001', '23502', '23514', '44000', '54000', 'P0001']],
    ['MISTAKE', ['0A000', '21000', '26000', '3F000', '42P01', '42501', '42601', '42703', '42804', '42883', '55000']],
    ['CANCELLED', ['57014']],
    [
      'NOT_APPLIED',
      ['57P03', '53100', '53300', '25006', '25P02', '28000', '28P01', '3D000', '40000', '55006', 'HV000']
    ]
  ]
  for (const [fault, codes] of cases) for (const code of codes) t.equal(faultKind(sqlError(code)), fault, code)
})

await t.test('postgres: a pooler that lost the server, a server that goes down, and an engine that cannot tell leave it unknown', async (t) => {
  const codes = ['08006', '08P01', '08007', '57P01', '57P02', '40003', '58030', 'XX000', 'XX001', 'F0000']
  for (const code of codes) t.equal(faultKind(sqlError(code)), 'UNKNOWN', code)
})

await t.test('postgres: a statement that was never sent was not applied; one that was sent and not answered is unknown', async (t) => {
  const socket = connect({ host: '127.0.0.1', port: 1 })
  const [refused] = await once(socket, 'error') as [Error]
  const pool = new pg.Pool()
  await pool.end()
  const ended = await pool.query('SELECT 1').catch((error: unknown) => error)
  const notSent: unknown[] = [
    refused,
    ended,
    Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' }),
    Object.assign(new AggregateError([refused, refused]), { code: 'ECONNREFUSED' }),
    new Error('timeout exceeded when trying to connect'),
    new Error('timeout expired'),
    new Error('Connection terminated due to connection timeout'),
    new Error('Client was closed and is not queryable'),
    new Error('Client has encountered a connection error and is not queryable'),
    new Error('PGlite is closed')
  ]
  for (const error of notSent) t.equal(faultKind(error), 'NOT_APPLIED', String(error))
  const sent: unknown[] = [
    new Error('Connection terminated unexpectedly'),
    new Error('Connection terminated'),
    new Error('Query read timeout'),
    new Error('no answer came within 5 ms'),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }),
    Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }),
    new AggregateError([refused, new Error('Connection terminated unexpectedly')]),
    new TypeError('fetch failed', { cause: new Error('of the network') }),
    'a text',
    undefined,
    null,
    Object.assign(new Error('of a driver that lists what it found'), { errors: [] }),
    new AggregateError([undefined]),
    new Error('Failed query … params: the gate is not queryable')
  ]
  for (const error of sent) t.equal(faultKind(error), 'UNKNOWN', String(error))
})

await t.test('postgres: each fault has its error; a lock that is not free has another one in a transaction of the app', async (t) => {
  const codes = (code: string) =>
    [writeError(sqlError(code), 3, false), writeError(sqlError(code), 1, true), readError(sqlError(code), 1)].map(
      (error) => (error as Error & { code: string }).code.replace('FST_IF_MATCH_', '')
    )
  t.strictSame(codes('40001'), ['CONTENTION', 'CONTENTION', 'CONTENTION'])
  t.strictSame(codes('55P03'), ['STORAGE_UNAVAILABLE', 'CONTENTION', 'STORAGE_UNAVAILABLE'])
  t.strictSame(codes('22P05'), ['INVALID_VALUE', 'INVALID_VALUE', 'STORAGE_FAULT'])
  t.strictSame(codes('57014'), ['STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'])
  t.strictSame(codes('08P01'), ['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'STORAGE_UNAVAILABLE'])
  t.strictSame(codes('28P01'), ['STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'], 'a login')
  t.strictSame(codes('23505'), ['CONSTRAINT', 'CONSTRAINT', 'STORAGE_UNAVAILABLE'])
  for (const state of ['42703', '42501', '0A000']) {
    t.strictSame(codes(state), ['STORAGE_FAULT', 'STORAGE_FAULT', 'STORAGE_FAULT'], state)
  }
})

await t.test('postgres: a mistake is a fault of the server: the cause has the names and the place in the code, and no content', async (t) => {
  const misspelt = sqlError('42703', 'column "titel" does not exist')
  for (const error of [writeError(misspelt, 1, false), readError(misspelt, 1)]) {
    t.match(error, { code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, message: /nothing was changed/ })
    t.notMatch(error.message, /titel/)
    const { cause } = error as { cause: Error }
    t.match(cause.message, /SQLSTATE 42703\): column "titel" does not exist$/)
    t.equal(cause.stack?.split('\n')[1], misspelt.stack?.split('\n')[1], 'where the driver made it')
  }
  const wrongParameters = Object.assign(sqlError('08P01', 'bind message supplies 1 parameters, but …'), {
    routine: 'exec_bind_message'
  })
  const unsent = writeError(wrongParameters, 1, false)
  t.match(unsent, { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message: /supplies 1/ } })
  for (const quoting of [
    sqlError('42601', 'syntax error at or near "a secret"'),
    Object.assign(sqlError('42501', 'a secret'), { where: 'PL/pgSQL function f() line 1 at RAISE: a secret' })
  ]) t.notMatch(inspect(writeError(quoting, 1, false), { depth: 9 }).replaceAll(/at .*/g, ''), /secret/)
})

await t.test('postgres: a trigger that raises a code of the app refuses the row, and its text stays with the server', async (t) => {
  const raised = Object.assign(sqlError('PT409', 'a secret'), { routine: 'exec_stmt_raise' })
  const error = writeError(raised, 1, false)
  t.match(error, { code: 'FST_IF_MATCH_INVALID_VALUE', message: /a trigger of the table refused the row/ })
  t.notMatch(inspect(error, { depth: 9 }), /secret/)
  t.equal(faultKind(sqlError('EPIPE')), 'UNKNOWN', 'a code of Node.js looks the same')
})

await t.test('postgres: a session that the server ends for a setting of the connection is an outage, and blames no client', async (t) => {
  const setting = Object.assign(sqlError('22023', 'invalid value for parameter "role"'), { severity: 'FATAL' })
  t.equal(faultKind(setting), 'NOT_APPLIED')
  t.match(readError(setting, 1), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
})

await t.test('postgres: JavaScript that failed around a statement is a fault of the server, after which a write may be there', async (t) => {
  const bug = new TypeError("Cannot read properties of undefined (reading 'rows')")
  t.equal(faultKind(bug), 'BUG')
  const code = 'FST_IF_MATCH_STORAGE_FAULT'
  t.match(writeError(bug, 1, false), { code, message: /may have been applied/, cause: bug })
  t.match(readError(bug, 1), { code, message: /a read/, cause: bug })
})

await t.test('postgres: a constraint is a conflict with its name in the cause, in the words of pg and of postgres.js, and no content', async (t) => {
  for (const name of ['constraint', 'constraint_name']) {
    const taken = Object.assign(sqlError('23505', 'a secret'), { [name]: 'offers_title_key', detail: 'a secret' })
    const error = writeError(taken, 1, false)
    t.match(error, { code: 'FST_IF_MATCH_CONSTRAINT', statusCode: 409 })
    t.match(error.cause, { constraint: 'offers_title_key' })
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), /secret/)
  }
  t.notOk('constraint' in explain(sqlError('23505')), 'where no name is told')
})

await t.test('postgres: an explanation says what to do and names the SQLSTATE; no error has the text of the server', async (t) => {
  const quoting = Object.assign(sqlError('23514', 'a secret'), {
    detail: 'a secret',
    where: 'a secret',
    stack: 'a secret'
  })
  t.match(explain(quoting), {
    message: 'PostgreSQL: a constraint or a trigger of the table refused the row. (SQLSTATE 23514)'
  })
  for (const error of [explain(quoting), writeError(quoting, 1, false), readError(quoting, 1)]) {
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), /secret/)
  }
  t.match(
    writeError(quoting, 1, false).message,
    /PostgreSQL says that a constraint or a trigger of the table refused the row \(SQLSTATE 23514\)/
  )
  t.match(explain(sqlError('42P01')).message, /the table is not there/)
  t.match(explain(sqlError('0A000')).message, /the statement is wrong.*0A000/)
  t.match(explain(sqlError('HV000')).message, /reports an error.*HV000/)
  const lost = new Error('Connection terminated unexpectedly')
  t.match(explain(lost), { message: /connection was lost/, cause: lost })
  t.match(explain(new Error('timeout expired')).message, /no connection could be had/)
  t.notMatch(explain(new Error('Failed query: insert params: hush')).message, /hush/)
})

await t.test('postgres: at boot, where nothing is content, the error has the text of the driver, but not that of the server', async (t) => {
  t.equal(
    explainBoot(new Error('The server does not support SSL connections')).message,
    'PostgreSQL: the connection was lost, or no answer came: The server does not support SSL connections'
  )
  t.match(
    explainBoot(Object.assign(new Error('connect ECONNREFUSED ::1:1'), { syscall: 'connect' })).message,
    /no connection could be had: connect ECONNREFUSED/
  )
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:1'), { syscall: 'connect' })
  const ofAllAddresses = Object.assign(new AggregateError([refused], ''), { code: 'ECONNREFUSED' })
  t.match(explainBoot(ofAllAddresses).message, /had: ECONNREFUSED$/)
  t.notMatch(explainBoot(Object.assign(new Error('hush'), { code: '28P01' })).message, /hush/)
})

await t.test('postgres: the error of a prepared statement that is missing, or exists already, is told from other errors', async (t) => {
  for (const code of ['26000', '42P05']) t.ok(isUnknownStatement(sqlError(code)))
  for (const error of [sqlError('42P01'), new Error('26000'), undefined]) t.notOk(isUnknownStatement(error))
})
