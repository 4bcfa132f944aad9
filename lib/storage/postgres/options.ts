import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import { isClient, type PostgresClient } from './client.js'
import { COLUMNS, type PostgresTableOptions } from './sql.js'

/** Options of `postgresAdapter`. */
export interface PostgresAdapterOptions extends PostgresTableOptions {
  /**
   * A `Pool` of pg, or any other client with `query(text, values)`. It must not be inside a transaction of yours: for
   * that there is `context`. Clients that tell so (pg from 8.21 on, PGlite) are not written to inside one. The adapter
   * never closes it: close it after the app.
   */
  client: PostgresClient
  /**
   * How long the adapter waits for an answer, in milliseconds (default 5,000). After a write whose answer does not
   * come, it reads the entity once, for as long. Unless the entity proves the write, its outcome is unknown.
   */
  timeout?: number | undefined
  /**
   * How long a write waits for a row that another transaction has locked, in milliseconds (default 2,000; less than
   * `timeout`). The server keeps this bound. 0: only the `lock_timeout` of the connection bounds it.
   */
  lockTimeout?: number | undefined
  /**
   * Whether statements are prepared, in the form that pg has for it (default: if the client is a Pool or Client of pg).
   * If prepared statements turn out not to work, as behind older poolers, statements are sent unprepared from then on.
   */
  prepared?: boolean | undefined
}

// The longest delay of a timer of Node.js (engine-facts#node-timer-limit).
const LONGEST_TIMEOUT = 2 ** 31 - 1

// PostgreSQL cuts a longer name off, and two names might become one (engine-facts#postgres-identifier-length).
const MAX_NAME_BYTES = 63

/** The options with their defaults. @throws FST_IF_MATCH_INVALID_OPTIONS, naming the option */
export function settingsOf (options: PostgresAdapterOptions) {
  const given = Object(options) as PostgresAdapterOptions
  const { client, schema, table, columns = {}, timeout = 5000, lockTimeout = 2000, prepared } = given
  const others = Object.keys(columns).filter((column) => !(COLUMNS as readonly string[]).includes(column))
  const columnNames = COLUMNS.map((column) => columns[column] ?? column)
  assertNoFlaw('postgresAdapter', [
    [!isClient(client), '"client" must be a Pool of pg, or another client with query(text, values).'],
    [others.length > 0, `"columns" names ${others.join(', ')}, which an entity does not have.`],
    [new Set(columnNames).size < columnNames.length, '"columns" gives two of them one name.'],
    ...Object.entries({ schema, table, ...columns }).map(([option, name]) => [
      name !== undefined && !isName(name),
      `"${option}" must be a name of 1 to ${MAX_NAME_BYTES} bytes.`
    ] as const),
    [
      !isMilliseconds(timeout) || timeout < 1 || timeout > LONGEST_TIMEOUT,
      '"timeout" must be a whole number of milliseconds, 1 or more.'
    ],
    [
      // The server must give up first: once the client stopped waiting, the outcome is unknown.
      !isMilliseconds(lockTimeout) || lockTimeout >= timeout,
      '"lockTimeout" must be a whole number of milliseconds, 0 or more and less than "timeout".'
    ],
    [prepared !== undefined && typeof prepared !== 'boolean', '"prepared" must be true or false.'],
    unknownOption(options, { client, schema, table, columns, timeout, lockTimeout, prepared })
  ])
  return { client, timeout, lockTimeout, prepared }
}

function isName (name: unknown): boolean {
  return typeof name === 'string' && name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= MAX_NAME_BYTES
}

function isMilliseconds (time: number): boolean {
  return Number.isInteger(time) && time >= 0
}
