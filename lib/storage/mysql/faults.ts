import { neverConnected } from '../kit/never-connected.js'
import type { SqlFault } from '../kit/sql-errors.js'
import { withFramesOf } from '../kit/whose-fault.js'

/**
 * The kind of an error of MySQL or MariaDB.
 *
 * - `RETRY`: a deadlock, or a row that changed since it was read; the transaction was rolled back as a whole
 * - `LOCKED`: a row stayed locked; the statement was rolled back, and no more (engine-facts#mariadb-deadlock-rollback)
 * - `CANCELLED`: somebody cancelled the statement, or it took too long
 * - `CONSTRAINT`: a unique key is taken, or rows refer to each other
 * - `ROW`: the table or the server refuses this one row for its content
 * - `MISTAKE`: the statement, the table or the rights are not as they must be; nothing was carried out (decision 0018)
 * - `NOT_APPLIED`: any other error that certainly left nothing
 * - `UNKNOWN`: the statement may have been carried out
 * - `OTHER`: not an error of a driver of MySQL
 */
export type MysqlFault = SqlFault | 'OTHER'

/** A statement was certainly not sent. The cause, if there is one, is the error with which a driver did not connect. */
export class NotSentError extends Error {}

/** A statement was sent, and may have been carried out: no answer came, or it was part of another transaction. */
export class UncertainError extends Error {}

interface MysqlError {
  errno?: unknown
  code?: unknown
  sqlState?: unknown
  sqlMessage?: unknown
  fatal?: unknown
  message?: unknown
}

// The number tells, and not the name: the drivers have the names of their own server, which differ
// (engine-facts#mysql-error-names). The class of the SQLSTATE tells of what is not listed.
const FAULT_OF_NUMBER = new Map<number, MysqlFault>(Object.entries({
  // Deadlock, changed row (MariaDB), changed table, certification of a replication group.
  RETRY: [1213, 1020, 1412, 3101],
  LOCKED: [1205, 3572],
  CANCELLED: [1317, 1969, 3024],
  CONSTRAINT: [1022, 1062, 1169, 1216, 1217, 1451, 1452, 1557, 1586, 1761, 1762, 1859],
  // The last one is of the driver mariadb, which counts bytes before it sends them.
  ROW: [
    1048, 1153, 1263, 1264, 1265, 1292, 1300, 1366, 1369, 1406, 1411, 1526, 1643, 1644, 1690, 1748, 3140, 3819, 4025,
    45046
  ],
  MISTAKE: [
    1044, 1049, 1052, 1054, 1064, 1142, 1143, 1146, 1175, 1191, 1210, 1243, 1267, 1270, 1271, 1288, 1295, 1305, 1348,
    1364, 1390, 1442, 1471, 1906, 3105, 4078,
    // Of the driver mariadb: a parameter that is missing.
    45016, 45017, 45018
  ],
  NOT_APPLIED: [
    // A full disk or table, memory, threads, locks.
    1021, 1037, 1038, 1041, 1114, 1135, 1206, 1637,
    // Limits, and connections that the server does not let in.
    1040, 1045, 1129, 1130, 1203, 1226, 1251, 1461, 1698, 1820, 1862, 3118, 4151,
    // Read only, not a member of its cluster; LOCK TABLES or XA END on this connection; closed as idle, before the
    // statement came.
    1036, 1099, 1100, 1223, 1399, 1290, 1792, 1836, 1047, 1615, 4031,
    // The driver mariadb had none, or a pool that is full or closed.
    45001, 45012, 45013, 45023, 45025, 45027, 45028, 45035, 45037, 45038, 45051, 45056, 45057, 45059, 45060, 45061,
    45062, 45064
  ]
}).flatMap(([fault, numbers]) => numbers.map((number) => [number, fault as MysqlFault] as const)))

const FAULT_OF_CLASS: ReadonlyArray<[state: RegExp, fault: MysqlFault]> = [
  [/^(22|23|44|45)/, 'ROW'],
  [/^(0A|21|42)/, 'MISTAKE'],
  [/^(25|28)/, 'NOT_APPLIED']
]

// What mysql2 says where it sent nothing, without a number (engine-facts#mysql-not-sent-errors).
const NOT_SENT = [
  'Pool is closed.',
  'No connections available.',
  'Queue limit reached.',
  "Can't add new command when connection is in closed state"
]

const DUPLICATE = 1062

const CODE_OF_DRIVER = /^(ER|PROTOCOL|POOL|HANDSHAKE|AUTH_SWITCH)_/

const MEANING: ReadonlyArray<[numbers: readonly number[], meaning: string]> = [
  [[1040, 1203], 'the server has too many connections. Make the pools smaller.'],
  [[1226], 'a limit of the user is reached.'],
  [[1461], 'max_prepared_stmt_count is reached. Raise it, or make the pools smaller.'],
  [[1044, 1049], 'there is no such database, or the user may not use it.'],
  [[1045, 1698, 1820, 1862, 3118, 4151], 'the server does not accept the user or the password.'],
  [[1036, 1290, 1792, 1836], 'the server or the transaction is read only. Connect to the primary.'],
  [[1021, 1114], 'the disk or the table is full.'],
  [[1153, 45046], 'the statement is larger than max_allowed_packet.']
]

const MEANING_OF_FAULT: Readonly<Record<MysqlFault, string>> = {
  RETRY: 'another transaction was in the way.',
  LOCKED: 'a row stayed locked for too long. Look for a transaction that somebody left open.',
  CANCELLED: 'the statement was cancelled, or took longer than the server allows.',
  CONSTRAINT: 'a unique key is taken, or rows refer to each other.',
  ROW: 'a column, a constraint or a trigger of the table refused the row.',
  MISTAKE: 'the statement is wrong, or the table is not as it expects.',
  NOT_APPLIED: 'the server or the driver reports an error, and carried out nothing.',
  UNKNOWN: 'the server reports an error. Its log says more.',
  OTHER: 'an error that is not of MySQL.'
}

// Where the server names the constraint. The value of a unique key stands before its name.
const CONSTRAINT_NAMES = [
  /^Duplicate entry '.*' for key '([^']+)'$/s,
  /CONSTRAINT `((?:[^`]|``)+)` FOREIGN KEY/,
  /^CONSTRAINT `((?:[^`]|``)+)` failed for /,
  /^Check constraint '([^']+)' is violated/
]

/** The kind of an error of a driver (engine-facts#mariadb-error-numbers). */
export function faultKind (error: unknown): MysqlFault {
  if (error instanceof NotSentError) return 'NOT_APPLIED'
  if (error instanceof UncertainError) return 'UNKNOWN'
  if (!isOfMysql(error)) return 'OTHER'
  if (wasNotSent(error)) return 'NOT_APPLIED'
  const state = String((error as MysqlError).sqlState)
  // A trigger may signal with an SQLSTATE of its choice, and has one number for all of them.
  if (state === '40001') return 'RETRY'
  return FAULT_OF_NUMBER.get(numberOf(error)!) ?? FAULT_OF_CLASS.find(([kind]) => kind.test(state))?.[1] ?? 'UNKNOWN'
}

/**
 * Whether an error is one of mysql2 or mariadb. Other drivers have numbers as well; an SQLSTATE beside the number, or
 * the flag `fatal`, is of these two alone.
 */
export function isOfMysql (error: unknown): boolean {
  const { code, fatal, message } = Object(error) as MysqlError
  const isOfConnection = typeof fatal === 'boolean' && typeof code === 'string'
  return numberOf(error) !== undefined || isOfConnection || CODE_OF_DRIVER.test(String(code)) ||
    NOT_SENT.includes(String(message))
}

/** Whether a driver says that it sent nothing, because it had no connection. */
export function wasNotSent (error: unknown): boolean {
  if (!isOfMysql(error)) return false
  const number = numberOf(error)
  if (number !== undefined) return isOfDriver(number) && FAULT_OF_NUMBER.get(number) === 'NOT_APPLIED'
  const { message } = error as MysqlError
  return neverConnected(error) || NOT_SENT.includes(String(message))
}

// The driver mariadb has these numbers for itself.
function isOfDriver (number: number): boolean {
  return number > 45_000
}

/** The number of the server or of a driver. That of an error of the network is negative. */
function numberOf (error: unknown): number | undefined {
  const { errno, code, sqlState } = Object(error) as MysqlError
  const isTold = typeof sqlState === 'string' || CODE_OF_DRIVER.test(String(code))
  return typeof errno === 'number' && errno > 0 && isTold ? errno : undefined
}

/**
 * An error for the log: it says what happened and what to do. The text of the server quotes stored content, and the
 * error of a driver quotes the statement with its values (engine-facts#mysql-error-quotes-content), so only its number
 * is passed on, and the name of the constraint. The text about a mistake names tables and columns alone, and is passed
 * on, with the place in the code.
 */
export function explain (error: unknown): Error {
  if (error instanceof UncertainError) return error
  if (error instanceof NotSentError) return explainNotSent(error)
  const { code, cause } = Object(error) as MysqlError & { cause?: unknown }
  const number = numberOf(error)
  const isOfServer = number !== undefined && !isOfDriver(number)
  const told = isOfServer ? `error ${number}` : code
  const text = `MySQL: ${meaningOf(error, number)}${told === undefined ? '' : ` (${String(told)})`}`
  if (faultKind(error) === 'MISTAKE') return withFramesOf(error, `${text}${namesIn(error, number)}`)
  const constraint = constraintOf(error)
  // A pool of the driver mariadb has the error of the server as its cause.
  return Object.assign(
    new Error(text, isOfMysql(cause) ? { cause: explain(cause) } : {}),
    constraint !== undefined && { constraint }
  )
}

function explainNotSent ({ message, cause }: NotSentError): Error {
  return isOfMysql(cause) ? explain(cause) : new Error(`MySQL: no connection could be had: ${message}.`, { cause })
}

/**
 * An error for the log, about the boot. It has the text of the server or the driver as well: which address refused,
 * which user has no rights. No content is sent at boot, so the text cannot quote any.
 */
export function explainBoot (error: unknown): Error {
  const explained = explain(error)
  const { sqlMessage, message, code, cause } = Object(error) as MysqlError & { cause?: unknown }
  // A pool has the reason as the cause. The error of a host with several addresses has a code, and no message
  // (engine-facts#node-aggregate-error).
  if (cause !== undefined) return explainBoot(cause)
  const text = String(sqlMessage || message || code)
  // That of a mistake is told already.
  if (explained.message.includes(text)) return explained
  return new Error(`${explained.message.replace(/\.$/, '')}: ${text}`, { cause: explained })
}

function meaningOf (error: unknown, number: number | undefined): string {
  if (wasNotSent(error)) return 'no connection could be had.'
  const fault = faultKind(error)
  const isOfServer = number !== undefined && !isOfDriver(number)
  if (fault === 'UNKNOWN' && !isOfServer) return 'the connection was lost, or no answer came.'
  return MEANING.find(([numbers]) => numbers.includes(Number(number)))?.[1] ?? MEANING_OF_FAULT[fault]
}

// The text about a syntax error quotes the statement, and one that is not listed may quote anything: the value of a
// setting, or what a trigger says.
function namesIn (error: unknown, number: number | undefined): string {
  const { sqlMessage } = error as MysqlError
  const isKnown = number !== 1064 && FAULT_OF_NUMBER.get(number!) === 'MISTAKE'
  return isKnown && typeof sqlMessage === 'string' ? `: ${sqlMessage}` : ''
}

/** Whether a row of the same primary key is there. */
export function isTakenPrimaryKey (error: unknown): boolean {
  return (error as MysqlError).errno === DUPLICATE && /(^|\.)PRIMARY$/.test(String(constraintOf(error)))
}

function constraintOf (error: unknown): string | undefined {
  const { sqlMessage } = error as MysqlError
  const text = typeof sqlMessage === 'string' ? sqlMessage : ''
  return CONSTRAINT_NAMES.map((pattern) => pattern.exec(text)?.[1]).find((name) => name !== undefined)
}
