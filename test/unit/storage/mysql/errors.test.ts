import t from 'tap'
import { StorageFaultError } from '../../../../lib/errors.js'
import { readError, writeError } from '../../../../lib/storage/mysql/errors.js'
import { explainBoot, NotSentError, UncertainError } from '../../../../lib/storage/mysql/faults.js'

const SECRET = 'a secret'
const refusal = (errno: number, sqlState = 'HY000', sqlMessage = SECRET): Error =>
  Object.assign(new Error(sqlMessage), { code: 'ER_SOMETHING', errno, sqlState, sqlMessage, sql: SECRET })

await t.test('mysql: the error of the contract for each kind of fault', async (t) => {
  const ours = new StorageFaultError('x')
  const lost = Object.assign(new Error('lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true })
  const cases: Array<[error: unknown, write: string, read: string]> = [
    [refusal(1213, '40001'), 'CONTENTION', 'CONTENTION'],
    [refusal(1205), 'STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'],
    [refusal(1062, '23000'), 'CONSTRAINT', 'STORAGE_UNAVAILABLE'],
    [refusal(1406, '22001'), 'INVALID_VALUE', 'STORAGE_FAULT'],
    [refusal(1054, '42S22'), 'STORAGE_FAULT', 'STORAGE_FAULT'],
    [refusal(1317, '70100'), 'STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'],
    [refusal(1461, '42000'), 'STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'],
    [refusal(1690, '22003', "out of range in '18446744073709551615 + x'"), 'CONSTRAINT', 'STORAGE_FAULT'],
    [refusal(1690, '22003', "out of range in 'x'"), 'INVALID_VALUE', 'STORAGE_FAULT'],
    [lost, 'OUTCOME_UNKNOWN', 'STORAGE_UNAVAILABLE'],
    [new UncertainError('MySQL: no answer.'), 'OUTCOME_UNKNOWN', 'STORAGE_UNAVAILABLE'],
    [new NotSentError('none was free'), 'STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE'],
    [new TypeError('a bug'), 'STORAGE_FAULT', 'STORAGE_FAULT'],
    [new Error('whatever'), 'OUTCOME_UNKNOWN', 'STORAGE_UNAVAILABLE'],
    [ours, 'STORAGE_FAULT', 'STORAGE_FAULT']
  ]
  for (const [error, write, read] of cases) {
    t.match(writeError(error, 1, false), { code: `FST_IF_MATCH_${write}` }, String(error))
    t.match(readError(error, 1), { code: `FST_IF_MATCH_${read}` }, String(error))
    if (error === ours) t.equal(writeError(error, 1, false), ours)
  }
  t.match(writeError(refusal(1205), 1, true), { code: 'FST_IF_MATCH_CONTENTION' }, 'in a transaction of the app')
  t.match(
    writeError(refusal(1153, '08S01'), 1, false).message,
    /MySQL says that the statement is larger than max_allowed_packet \(error 1153\)/
  )
  t.notMatch(writeError(refusal(1062, '23000'), 1, false).cause, { message: /secret/ })
})

await t.test('mysql: at boot the text of the server or the driver is told, also that of a pool, which is the cause', async (t) => {
  const codes = { code: 'ECONNREFUSED', syscall: 'connect', fatal: true }
  const connect = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), codes)
  const several = Object.assign(new AggregateError([connect]), { code: 'ECONNREFUSED', fatal: true })
  const cases: Array<[error: unknown, message: string]> = [
    [
      refusal(1045, '28000', 'Access denied for nobody'),
      'MySQL: the server does not accept the user or the password. (error 1045): Access denied for nobody'
    ],
    [
      new NotSentError('x', { cause: connect }),
      'MySQL: no connection could be had. (ECONNREFUSED): connect ECONNREFUSED 127.0.0.1:1'
    ],
    [new NotSentError('x', { cause: several }), 'MySQL: no connection could be had. (ECONNREFUSED)'],
    [refusal(1049, '42000', "Unknown database 'x'"), 'MySQL: there is no such database, or the user may not use it. ' +
      "(error 1049): Unknown database 'x'"],
    [new UncertainError('MySQL: no answer came within 5 ms.'), 'MySQL: no answer came within 5 ms']
  ]
  for (const [error, message] of cases) t.match(explainBoot(error).message, message)
})
