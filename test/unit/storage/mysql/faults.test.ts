import { inspect } from 'node:util'
import t from 'tap'
import {
  explain,
  explainBoot,
  faultKind,
  isOfMysql,
  wasNotSent,
  type MysqlFault
} from '../../../../lib/storage/mysql/faults.js'

const SECRET = 'a secret'

// As the drivers have them: test/attacks/mysql/faults.test.ts provokes each.
const ofMysql2 = (errno: number, sqlState = 'HY000', sqlMessage = SECRET): Error =>
  Object.assign(new Error(sqlMessage), { code: 'ER_OF_ANOTHER_SERVER', errno, sqlState, sqlMessage, sql: SECRET })
const ofMariadb = (errno: number, sqlState = 'HY000', sqlMessage = SECRET, fatal = false): Error => Object.assign(
  new Error(`(conn:1, no: ${errno}, SQLState: ${sqlState}) ${sqlMessage}\nsql: ${SECRET} - parameters:['${SECRET}']`),
  { name: 'SqlError', code: 'UNKNOWN', errno, sqlState, sqlMessage, fatal, sql: SECRET }
)
const system = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall, errno: -111, fatal: true })

await t.test('the number of the server tells the kind, whatever name the driver has for it, and the SQLSTATE for what is not listed', async (t) => {
  const cases: Partial<Record<MysqlFault, ReadonlyArray<[errno: number, sqlState?: string]>>> = {
    RETRY: [[1213, '40001'], [1020], [1412], [3101, '40000'], [9999, '40001'], [1644, '40001']],
    LOCKED: [[1205], [3572]],
    CANCELLED: [[1317, '70100'], [1969, '70100'], [3024]],
    CONSTRAINT: [[1062, '23000'], [1451, '23000'], [1452, '23000'], [1022, '23000'], [1586, '23000']],
    ROW: [
      [1048, '23000'], [1264, '22003'], [1265, '01000'], [1292, '22007'], [1366], [1369], [1406, '22001'], [1526],
      [1644, '45000'], [3819], [4025, '23000'], [1153, '08S01'], [9999, '22032'], [9999, '45000'],
      [1643, '02000']
    ],
    MISTAKE: [
      [1054, '42S22'], [1064, '42000'], [1142, '42000'], [1146, '42S02'], [1210], [1364], [1052, '23000'], [1906],
      [1390], [4078], [1305, '42000'],
      [9999, '42000'], [9999, '21S01'], [9999, '0A000']
    ],
    NOT_APPLIED: [
      [1040, '08004'], [1045, '28000'], [1114], [1203, '42000'], [1226, '42000'], [1290], [1461, '42000'],
      [1792, '25006'], [1836], [4031], [9999, '28000'], [1099], [1100], [1399, 'XAE07']
    ],
    UNKNOWN: [[1030], [1026], [1053, '08S01'], [1105], [1180], [1927, '70100'], [9999, '08S01'], [9999]]
  }
  for (const [kind, codes] of Object.entries(cases)) {
    for (const [errno, sqlState] of codes) {
      t.equal(faultKind(ofMysql2(errno, sqlState)), kind, `${errno} ${sqlState}`)
      t.equal(faultKind(ofMariadb(errno, sqlState)), kind, `${errno} ${sqlState}`)
    }
  }
  t.equal(faultKind(ofMysql2(1040, '')), 'NOT_APPLIED', 'the server gives no SQLSTATE before the handshake')
  t.equal(faultKind(Object.assign(new Error(), { code: 'ER_BAD_FIELD_ERROR', sqlState: '42S22' })), 'MISTAKE')
})

await t.test('what a driver says itself: not sent where it had no connection, unknown where a connection broke, a missing parameter, a statement too large', async (t) => {
  const notSent = [
    system('ECONNREFUSED', 'connect'), system('ENOTFOUND', 'getaddrinfo'), system('ETIMEDOUT', 'connect'),
    Object.assign(new Error('Pool is closed.')), new Error('No connections available.'),
    new Error('Queue limit reached.'),
    Object.assign(new Error("Can't add new command when connection is in closed state"), { fatal: true }),
    Object.assign(new Error(), {
      code: 'ECONNREFUSED', fatal: true, errors: [system('ECONNREFUSED', 'connect'), system('ECONNREFUSED', 'connect')]
    }),
    ofMariadb(45012, '08S01'), ofMariadb(45013, '08S01'), ofMariadb(45027), ofMariadb(45028)
  ]
  for (const error of notSent) {
    t.strictSame([faultKind(error), wasNotSent(error)], ['NOT_APPLIED', true], inspect(error))
    t.match(explain(error).message, /^MySQL: no connection could be had/)
  }
  const lost = [
    Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }),
    Object.assign(new Error('Query inactivity timeout'), { code: 'PROTOCOL_SEQUENCE_TIMEOUT', syscall: 'query' }),
    system('ECONNRESET', 'read'), system('EPIPE', 'write'),
    Object.assign(new Error(), { code: 'ECONNREFUSED', fatal: true, errors: [] }),
    ofMariadb(45004, '08S01'), ofMariadb(45009, '08S01'), ofMariadb(45026, '08S01')
  ]
  for (const error of lost) {
    t.strictSame([faultKind(error), wasNotSent(error)], ['UNKNOWN', false], inspect(error))
    t.match(explain(error).message, /^MySQL: the connection was lost, or no answer came\./)
  }
  t.equal(faultKind(ofMariadb(45016)), 'MISTAKE')
  t.equal(faultKind(ofMariadb(45046)), 'ROW')
  t.match(explain(ofMariadb(45046)).message, /larger than max_allowed_packet/)
  t.equal(wasNotSent(ofMysql2(1040)), false, 'the connection that the server did not let in is told by the number')
})

await t.test('errors of other drivers and of the app are none of MySQL’s: an SQLSTATE as code, a number without an SQLSTATE', async (t) => {
  const others = [
    Object.assign(new Error(), { code: '23505', severity: 'ERROR', routine: '_bt_check_unique' }),
    Object.assign(new Error(), { code: 'SQLITE_CONSTRAINT', errno: 19 }),
    Object.assign(new Error(), { code: 'ERR_SQLITE_ERROR', errcode: 2067 }),
    Object.assign(new Error(), { code: 'ECONNREFUSED', errno: -111, syscall: 'connect' }),
    Object.assign(new Error(), { errno: '23505', fatal: true }),
    new TypeError('a bug'), undefined, null, 'text'
  ]
  for (const error of others) {
    t.strictSame([isOfMysql(error), faultKind(error), wasNotSent(error)], [false, 'OTHER', false], inspect(error))
  }
  t.match(explain(new Error('whatever')).message, /not of MySQL/)
})

await t.test('the log gets the number and the name of the constraint, and neither stored content nor the statement with its values', async (t) => {
  const constraints: Array<[errno: number, text: string, name: string | undefined]> = [
    [1062, `Duplicate entry '${SECRET}' for key 'offers_title'`, 'offers_title'],
    [1062, `Duplicate entry '${SECRET}' for key 'x'\n' for key 'offers.title'`, 'offers.title'],
    [
      1452,
      'Cannot add or update a child row: a foreign key constraint fails ' +
        '(`d`.`t`, CONSTRAINT `fk``p` FOREIGN KEY (`p`) REFERENCES `p` (`id`))',
      'fk``p'
    ],
    [4025, 'CONSTRAINT `t.price` failed for `d`.`t`', 't.price'],
    [3819, "Check constraint 'price_positive' is violated.", 'price_positive'],
    [1216, 'Cannot add or update a child row: a foreign key constraint fails', undefined]
  ]
  for (const [errno, text, name] of constraints) {
    for (const error of [ofMysql2(errno, '23000', text), ofMariadb(errno, '23000', text)]) {
      const explained = explain(error)
      t.equal((explained as { constraint?: unknown }).constraint, name, text)
      t.match(explained.message, new RegExp(`\\(error ${errno}\\)$`))
      t.notMatch(inspect(explained, { depth: 9 }), SECRET)
    }
  }
  for (const errno of [1062, 1366, 1644, 1064, 1213, 1317, 1030, 45009, 45013]) {
    for (const error of [ofMysql2(errno), ofMariadb(errno)]) t.notMatch(inspect(explain(error), { depth: 9 }), SECRET)
  }
  // The value of a setting, and whatever a trigger says, have the class of a mistake.
  for (const errno of [1231, 31001]) t.notMatch(inspect(explain(ofMysql2(errno, '42000')), { depth: 9 }), SECRET)
  const lost = Object.assign(new Error(SECRET), { code: 'PROTOCOL_CONNECTION_LOST', sql: SECRET })
  t.notMatch(inspect(explain(lost)), SECRET)
})

await t.test('a mistake is told with the names of the server’s text, and with the place in the code', async (t) => {
  const error = ofMysql2(1146, '42S02', "Table 'd.nope' doesn't exist")
  const explained = explain(error)
  t.match(explained.message, /^MySQL: the statement is wrong, .* \(error 1146\): Table 'd\.nope' doesn't exist$/)
  t.match(explained.stack, /faults\.test/)
  t.match(explain(Object.assign(new Error('of Prisma'), { errno: 1146, sqlState: '' })).message, /\(error 1146\)$/)
})

await t.test('a pool that could not connect tells why: its cause is explained as well', async (t) => {
  const error = Object.assign(ofMariadb(45028), { code: 'ER_GET_CONNECTION_TIMEOUT', cause: ofMariadb(1045, '28000') })
  t.match(explain(error), {
    message: 'MySQL: no connection could be had. (ER_GET_CONNECTION_TIMEOUT)',
    cause: { message: 'MySQL: the server does not accept the user or the password. (error 1045)' }
  })
  t.notMatch(inspect(explain(error), { depth: 9 }), SECRET)
  t.equal(explain(new Error('No connections available.')).message, 'MySQL: no connection could be had.')
  // That of a host with several addresses has no message.
  const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED', fatal: true })
  t.match(explainBoot(refused).message, /\(ECONNREFUSED\)$/)
})
