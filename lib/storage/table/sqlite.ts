import { quoteName } from '../kit/sql-name.js'
import { sqliteFault } from '../statements/index.js'
import type { SqlValue } from './columns.js'
import type { Engine, TableName } from './engine.js'
import type { ColumnFacts, TableFacts } from './facts.js'

interface Handle { prepare (sql: string): { all (...values: SqlValue[]): unknown[] } }

interface Column { name: string, type: string, notnull: number, dflt_value: unknown, pk: number, hidden: number }
interface KeyPart { key: string, name: string, collation: string }

const COLUMNS = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo'
// A unique index over an expression has no name for it.
const KEYS = "SELECT i.name AS key, coalesce(x.name, '') AS name, x.coll AS collation FROM pragma_index_list"
const PARTS = 'WHERE i."unique" = 1 AND i.partial = 0 AND x.key = 1'

/** SQLite, through a handle of better-sqlite3 or node:sqlite. */
export const sqlite: Engine = {
  dialect: 'sqlite',
  returns: true,
  quote: quoteName,
  parameter: () => '?',
  // Whatever the collation of the column: its unique index may have another one.
  idParameter: () => '? COLLATE BINARY',
  readable: (column) => column,
  comparable: (column) => `CAST(${column} AS TEXT)`,
  // better-sqlite3 binds a number as a REAL, which a column without a type keeps as 5.0.
  bound (value, type) {
    if (typeof value === 'boolean') return value ? 1n : 0n
    return type === 'integer' && typeof value === 'number' ? BigInt(value) : value
  },
  // Nobody else writes while a transaction has written, or tried to.
  newest: '',
  token: 'lower(hex(randomblob(12)))',
  async run (client, { text, values }) {
    return { rows: (client as Handle).prepare(text).all(...values) as Array<Record<string, unknown>>, changed: 0 }
  },
  faultOf: sqliteFault,
  factsOf
}

async function factsOf (client: unknown, { schema, name }: TableName): Promise<TableFacts | undefined> {
  const inSchema = schema === undefined ? [] : [schema]
  const more = schema === undefined ? '' : ', ?'
  const ask = async <R>(text: string, values: string[]): Promise<R[]> =>
    (await sqlite.run(client, { text, values })).rows as R[]
  const columns = await ask<Column>(`${COLUMNS}(?${more})`, [name, ...inSchema])
  if (columns.length === 0) return undefined
  const parts = await ask<KeyPart>(
    `${KEYS}(?${more}) AS i, pragma_index_xinfo(i.name${more}) AS x ${PARTS}`,
    [name, ...inSchema, ...inSchema]
  )
  const names = [...new Set(parts.map(({ key }) => key))]
  const keys = names.map((name) => parts.filter(({ key }) => key === name).map(({ name }) => name).sort())
  const primary = columns.filter(({ pk }) => pk > 0)
  // The number of the row has no index.
  const rowNumber = primary.length === 1 && isRowNumber(primary[0]!) ? [[primary[0]!.name]] : []
  const loose = parts.filter(({ collation }) => collation !== 'BINARY').map(({ name }) => name)
  return {
    columns: columns.map((column) => factsOfColumn(column, loose.includes(column.name))),
    keys: [...keys, ...rowNumber]
  }
}

function isRowNumber ({ type }: Column): boolean {
  return type.toUpperCase() === 'INTEGER'
}

function factsOfColumn (column: Column, isLoose: boolean): ColumnFacts {
  const affinity = affinityOf(column.type)
  return {
    name: column.name,
    type: column.type === '' ? 'without a type' : column.type,
    keeps ({ type: kind }) {
      switch (kind) {
        // A column for numbers makes a number of the text 5, and one for texts a text of the number.
        case 'text':
        case 'json':
          return affinity === 'TEXT' || affinity === 'BLOB'
        default:
          return affinity !== 'TEXT'
      }
    },
    tellsApart: ({ type: kind }) =>
      kind === 'integer' ? affinity === 'INTEGER' : kind === 'text' && affinity === 'TEXT' && !isLoose,
    advice: 'Take TEXT without a COLLATE, or INTEGER with Type.Integer() as its schema.',
    longest: undefined,
    isNotNull: column.notnull === 1,
    hasDefault: column.dflt_value !== null || (column.pk === 1 && isRowNumber(column)),
    isGenerated: column.hidden > 1
  }
}

// By the rules of SQLite, which looks for these parts of the name, in this order.
function affinityOf (type: string): string {
  const rules: Array<[RegExp, string]> = [
    [/INT/i, 'INTEGER'], [/CHAR|CLOB|TEXT/i, 'TEXT'], [/BLOB|^$/i, 'BLOB'], [/REAL|FLOA|DOUB/i, 'REAL']
  ]
  return rules.find(([pattern]) => pattern.test(type))?.[1] ?? 'NUMERIC'
}
