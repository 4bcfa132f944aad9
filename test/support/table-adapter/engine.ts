import type { Dialect } from '../../../lib/storage/table/index.js'

/** An engine as the cases find it: two clients of it, and SQL past the adapter. */
export interface TableEngine {
  dialect: Dialect
  client: object
  other: object
  /** Runs a statement past the adapter. */
  run: (sql: string) => Promise<unknown>
  /** The rows of a query past the adapter. */
  rows: (sql: string) => Promise<unknown[]>
  /** Runs steps in a transaction, which is rolled back. */
  rolledBack: (steps: (tx: object) => Promise<void>) => Promise<void>
}

/** Types of columns in each dialect. */
export const TYPES = {
  postgres: {
    id: 'text',
    text: 'text',
    short: 'varchar(20)',
    boolean: 'boolean',
    double: 'double precision',
    money: 'numeric(10, 2)',
    time: 'timestamp',
    json: 'jsonb',
    number: 'bigint',
    generated: 'bigint GENERATED ALWAYS AS'
  },
  sqlite: {
    id: 'text',
    text: 'text',
    short: 'varchar(20)',
    boolean: 'boolean',
    double: 'real',
    money: 'numeric(10, 2)',
    time: 'text',
    json: 'text',
    number: 'bigint',
    generated: 'integer GENERATED ALWAYS AS'
  },
  mysql: {
    id: 'varchar(200) COLLATE utf8mb4_nopad_bin',
    text: 'text CHARACTER SET utf8mb4',
    short: 'varchar(20) CHARACTER SET utf8mb4',
    boolean: 'boolean',
    double: 'double',
    money: 'decimal(10, 2)',
    time: 'datetime',
    json: 'json',
    number: 'bigint',
    generated: 'bigint GENERATED ALWAYS AS'
  }
} as const

/** A name as the dialect quotes it. */
export function quoted (dialect: Dialect, name: string): string {
  const quote = dialect === 'mysql' ? '`' : '"'
  return quote + name.replaceAll(quote, quote + quote) + quote
}
