/** The columns of an entity. */
export const COLUMNS = ['key', 'version', 'replaced', 'digest', 'value'] as const

/** The name of each column. */
export type ColumnNames = Record<typeof COLUMNS[number], string>

/** The table of the entities. */
export interface MysqlTableOptions {
  /** The database (default: that of the connection). */
  database?: string | undefined
  /** The table (default `'entities'`). */
  table?: string | undefined
  /** Names of columns that are not called `key`, `version`, `replaced`, `digest` and `value`. */
  columns?: Partial<ColumnNames> | undefined
}

/** The table and its columns, quoted. */
export interface QuotedTable { name: string, columns: ColumnNames }

/** Where and how statements are sent. */
export interface StatementOptions {
  /** Whether the server is MariaDB. MySQL has neither `SET STATEMENT` nor `@@in_transaction`. */
  isMariaDb: boolean
  /** How long a change waits for a locked row, in milliseconds. 0: the server's own bound. */
  lockTimeout: number
  /**
   * Where a change does something at all: inside a transaction, which is that of the app, or outside of one, where it
   * stands for itself. Undefined: anywhere.
   */
  onlyWhere?: 'inside' | 'outside' | undefined
}

export type Statements = ReturnType<typeof statementsOn>

/** What the first column of each row says: whether the connection is inside a transaction. NULL: nobody knows. */
export const INSIDE = 'in a transaction'
export const OUTSIDE = 'in no transaction'

/** A name in backticks, which no `sql_mode` takes away. */
export function quoteName (name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

export function quotedTable ({ database, table = 'entities', columns }: MysqlTableOptions): QuotedTable {
  const quoted = COLUMNS.map((column) => [column, quoteName(columns?.[column] ?? column)])
  return {
    name: database === undefined ? quoteName(table) : `${quoteName(database)}.${quoteName(table)}`,
    columns: Object.fromEntries(quoted) as ColumnNames
  }
}

/**
 * The SQL that creates the table, for a migration of your own.
 *
 * @example
 * console.log(createTableSql({ database: 'shop', table: 'offers' }))
 */
export function createTableSql (options: MysqlTableOptions = {}): string {
  const { name, columns: { key, version, replaced, digest, value } } = quotedTable(options)
  // Bytes are compared as they are: collations ignore case or trailing spaces (decision 0022). An index takes so long
  // a key in this row format alone, which a setting of the server may not have as its default.
  return `CREATE TABLE IF NOT EXISTS ${name} (${key} VARBINARY(1024) NOT NULL, ${version} VARBINARY(64) NOT NULL, ` +
    `${replaced} VARBINARY(64) NULL, ${digest} LONGTEXT CHARACTER SET utf8mb4 NULL, ` +
    `${value} LONGTEXT CHARACTER SET utf8mb4 NOT NULL, PRIMARY KEY (${key})) ENGINE = InnoDB ROW_FORMAT = DYNAMIC`
}

/** `lockTimeout` in the unit of the server, which counts whole seconds. */
export function lockSeconds (lockTimeout: number): number {
  return Math.ceil(lockTimeout / 1000)
}

/**
 * The statements on a table. All are prepared, so no value is ever quoted.
 *
 * The server bounds the wait for a locked row, because a statement goes on there when its client has stopped waiting.
 * In a transaction of the app the bound is the app's to set. There a change carries a condition: outside of a
 * transaction it does nothing, for it could not be rolled back (engine-facts#mariadb-rolled-back-goes-on).
 */
export function statementsOn (
  { name: table, columns: { key, version, replaced, digest, value } }: QuotedTable,
  { isMariaDb, lockTimeout, onlyWhere }: StatementOptions
) {
  const isInside = isMariaDb ? '(@@in_transaction OR NOT @@autocommit)' : 'NOT @@autocommit'
  const status = `IF(${isInside}, '${INSIDE}', ${isMariaDb ? `'${OUTSIDE}'` : 'NULL'})`
  const seconds = lockSeconds(lockTimeout)
  // Table locks have a bound of their own.
  const bound = isMariaDb && lockTimeout > 0
    ? `SET STATEMENT innodb_lock_wait_timeout = ${seconds}, lock_wait_timeout = ${seconds} FOR `
    : ''
  const condition = onlyWhere === 'inside' ? isInside : `NOT ${isInside}`
  const isGuarded = isMariaDb && onlyWhere !== undefined
  const guard = isGuarded ? ` AND ${condition}` : ''
  const values = isGuarded ? `SELECT ?, ?, ?, ? FROM DUAL WHERE ${condition}` : 'VALUES (?, ?, ?, ?)'
  const facts = `e.${version}, e.${replaced}, e.${digest}`

  // Assignments run from left to right (engine-facts#mariadb-set-order).
  const update = `${bound}UPDATE ${table} SET ${replaced} = ${version}, ${version} = ?, ${value} = ?, ${digest} = ? ` +
    `WHERE ${key} = ?${guard}`
  const insert = `${bound}INSERT INTO ${table} (${key}, ${version}, ${value}, ${digest}) ${values}`
  const remove = `${bound}DELETE FROM ${table} WHERE ${key} = ?${guard}`
  // The row of a unique key of the app may be that of another entity, which must not be overwritten: the sum is out of
  // range then, an error in every sql_mode (engine-facts#mariadb-upsert-other-unique-key).
  const upsert = `${insert} ON DUPLICATE KEY UPDATE ${replaced} = ${version}, ` +
    `${version} = IF(${key} = VALUES(${key}), VALUES(${version}), ${OVERFLOW} + LENGTH(${key})), ` +
    `${value} = VALUES(${value}), ${digest} = VALUES(${digest})`
  // A row comes in any case, with the status of the connection.
  const from = `FROM (SELECT 1 AS one) AS one LEFT JOIN ${table} AS e ON e.${key}`
  const read = (shown: string): string => `SELECT ${status}, ${shown}, ${facts} ${from} = ?`
  const reads = (shown: string) => ({
    /** The key. */
    one: read(shown),
    /**
     * So many keys. A row for each entity, its key at the end; if there is none, one row without an entity. The limit
     * takes the place of `sql_select_limit`, which would leave entities out (engine-facts#mysql-shared-reads).
     */
    many: (count: number): string =>
      `SELECT ${status}, ${shown}, ${facts}, e.${key} ${from} ${among(count)} LIMIT ${count}`
  })
  const list = `SELECT ${status}, e.${value}, ${facts}, e.${key} FROM ${table} AS e ` +
    `WHERE e.${key} >= ? AND e.${key} > ?`
  const inOrder = `ORDER BY e.${key} LIMIT`
  const among = (count: number): string => `IN (${Array(count).fill('?').join(', ')})`
  const versions = (count: number): string => `${version} ${among(count)}`

  return {
    read: reads(`e.${value}`),
    /** No value is sent. */
    readFacts: reads('NULL'),
    /** So many versions of which no value is sent, and the key. */
    readUnless: (count: number): string => read(`IF(e.${versions(count)}, NULL, e.${value})`),
    /** The key. It reads what is committed, also where a transaction has an older snapshot, and locks the row. */
    readNewest: `${read(`e.${value}`)} LOCK IN SHARE MODE`,
    write: {
      /** The new version, the value, the digest, the key, and so many versions that may be replaced. */
      version: (count: number): string => `${update} AND ${versions(count)}`,
      /** The new version, the value, the digest, the key. */
      exists: update,
      /** The key, the new version, the value, the digest. */
      absent: insert,
      /** The same. */
      any: upsert
    },
    remove: {
      /** The key, and so many versions that may be removed. */
      version: (count: number): string => `${remove} AND ${versions(count)}`,
      /** The key. */
      exists: remove
    },
    /** The first key, the key after which the page begins, how many. */
    listToEnd: `${list} ${inOrder} ?`,
    /** The first key, the key after which the page begins, the key before which the listing ends, how many. */
    list: `${list} AND e.${key} < ? ${inOrder} ?`
  }
}

// The largest number of the server.
const OVERFLOW = String(2n ** 64n - 1n)

/** Whether an upsert met the row of another entity, by a unique key that the app added to the table. */
export function metAnotherEntity (error: unknown): boolean {
  const { errno, sqlMessage } = Object(error) as { errno?: unknown, sqlMessage?: unknown }
  return errno === OUT_OF_RANGE && String(sqlMessage).includes(OVERFLOW)
}

const OUT_OF_RANGE = 1690

/**
 * Versions or keys, padded so that their count is a power of two: few texts are prepared then. The server has a limit
 * for all connections together.
 */
export function padded (texts: readonly string[]): string[] {
  const count = 2 ** Math.ceil(Math.log2(texts.length))
  return [...texts, ...Array<string>(count - texts.length).fill(texts[0]!)]
}
