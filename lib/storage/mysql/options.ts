import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import { flawsOfClient, type MysqlClient } from './client.js'
import { COLUMNS, lockSeconds, type MysqlTableOptions } from './sql.js'

/** Options of `mysqlAdapter`. */
export interface MysqlAdapterOptions extends MysqlTableOptions {
  /**
   * A Pool or Connection of mysql2, with callbacks or promises, or of the driver mariadb, with promises. It must not be
   * inside a transaction of yours: for that there is `context`. The adapter never closes it: close it after the app.
   */
  client: MysqlClient
  /**
   * How long the adapter waits for an answer, in milliseconds (default 5,000). After a write whose answer does not
   * come, it reads the entity once, for as long. Unless the entity proves the write, its outcome is unknown.
   */
  timeout?: number | undefined
  /**
   * How long a write waits for a row that another transaction has locked, in milliseconds (default 2,000). The server
   * keeps this bound, and counts whole seconds: a part of a second counts as a whole one, and the seconds must be less
   * than `timeout`. 0: only `innodb_lock_wait_timeout` of the connection bounds it.
   */
  lockTimeout?: number | undefined
}

// The longest delay of a timer of Node.js (engine-facts#node-timer-limit).
const LONGEST_TIMEOUT = 2 ** 31 - 1

// The server refuses longer names.
const MAX_NAME_LENGTH = 64

/** The options with their defaults. @throws FST_IF_MATCH_INVALID_OPTIONS, naming the option */
export function settingsOf (options: MysqlAdapterOptions) {
  const given = Object(options) as MysqlAdapterOptions
  const { client, database, table, columns = {}, timeout = 5000, lockTimeout = 2000 } = given
  const others = Object.keys(columns).filter((column) => !(COLUMNS as readonly string[]).includes(column))
  // The server does not tell names of columns apart by their case.
  const columnNames = COLUMNS.map((column) => String(columns[column] ?? column).toLowerCase())
  assertNoFlaw('mysqlAdapter', [
    ...flawsOfClient(client, '"client"'),
    [others.length > 0, `"columns" names ${others.join(', ')}, which an entity does not have.`],
    [new Set(columnNames).size < columnNames.length, '"columns" gives two of them one name.'],
    ...Object.entries({ database, table, ...columns }).map(([option, name]) => [
      name !== undefined && !isName(name),
      `"${option}" must be a name of 1 to ${MAX_NAME_LENGTH} characters, without a space at its end.`
    ] as const),
    [
      !isMilliseconds(timeout) || timeout < 1 || timeout > LONGEST_TIMEOUT,
      '"timeout" must be a whole number of milliseconds, 1 or more.'
    ],
    [
      // The server must give up first: once the client stopped waiting, the outcome is unknown.
      !isMilliseconds(lockTimeout) || lockSeconds(lockTimeout) * 1000 >= timeout,
      '"lockTimeout" must be a whole number of milliseconds, 0 or more. The server counts whole seconds, ' +
        'which must be less than "timeout".'
    ],
    unknownOption(options, { client, database, table, columns, timeout, lockTimeout })
  ])
  return { client, timeout, lockTimeout }
}

function isName (name: unknown): boolean {
  return typeof name === 'string' && /^[^\0]{0,63}[^\0 ]$/u.test(name)
}

function isMilliseconds (time: number): boolean {
  return Number.isInteger(time) && time >= 0
}
