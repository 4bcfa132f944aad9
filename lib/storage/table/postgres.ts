import { quoteName } from '../kit/sql-name.js'
import { sqlStateFault } from '../statements/index.js'
import { quotedTable, type Engine, type Statement, type TableName } from './engine.js'
import type { ColumnFacts, TableFacts } from './facts.js'

interface Client { query (text: string, values: unknown[]): Promise<{ rows: unknown[] }> }

interface Column {
  name: string
  type: string
  longest: number | null
  scale: number | null
  is_enum: boolean
  is_deterministic: boolean
  not_null: boolean
  has_default: boolean
  is_generated: boolean
}

const COLUMNS = `SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type,
  CASE WHEN a.atttypid = 'varchar'::regtype AND a.atttypmod > 4 THEN a.atttypmod - 4 END AS longest,
  CASE WHEN a.atttypid = 'numeric'::regtype AND a.atttypmod > 4 THEN (a.atttypmod - 4) & 2047 END AS scale,
  t.typtype = 'e' AS is_enum, coalesce(c.collisdeterministic, true) AS is_deterministic,
  a.attnotnull AS not_null, (a.atthasdef OR a.attidentity <> '') AS has_default,
  (a.attgenerated <> '' OR a.attidentity = 'a') AS is_generated
  FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = a.attcollation
  WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped`

// The unique indexes that ON CONFLICT can use: of columns alone, for all rows, and not deferrable.
const KEYS = `SELECT string_agg(a.attname::text, chr(31)) AS columns
  FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a
  ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
  WHERE i.indrelid = to_regclass($1::text) AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL GROUP BY i.indexrelid`

const TEXT = ['text', 'character varying']
const WHOLE = ['smallint', 'integer', 'bigint']

/** PostgreSQL, through any client with `query(text, values)`. */
export const postgres: Engine = {
  dialect: 'postgres',
  returns: true,
  quote: quoteName,
  parameter: (index) => `$${index}`,
  // An id that the column is too small for is compared all the same, and finds nothing.
  idParameter: (index, type) => type === 'integer' ? `$${index}::bigint` : `$${index}`,
  // The parsers of types, which an app may set, and the digits of numbers do not matter for texts.
  readable: (column) => `${column}::text`,
  comparable: (column) => `${column}::text`,
  bound: (value) => value,
  // It refuses the write in place of matching nothing (engine-facts#postgres-serialization-failure).
  newest: '',
  token: "replace(gen_random_uuid()::text, '-', '')",
  async run (client, { text, values }) {
    const { rows } = await (client as Client).query(text, values)
    return { rows: rows as Array<Record<string, unknown>>, changed: 0 }
  },
  faultOf: sqlStateFault,
  factsOf
}

async function factsOf (client: unknown, table: TableName): Promise<TableFacts | undefined> {
  const name = quotedTable(postgres, table)
  const ask = async <R>(text: string): Promise<R[]> => {
    const statement: Statement = { text, values: [name] }
    return (await postgres.run(client, statement)).rows as R[]
  }
  const columns = await ask<Column>(COLUMNS)
  if (columns.length === 0) return undefined
  const keys = await ask<{ columns: string }>(KEYS)
  return {
    columns: columns.map(factsOfColumn),
    keys: keys.map(({ columns }) => columns.split('\x1f').sort())
  }
}

function factsOfColumn (column: Column): ColumnFacts {
  const { name, type, longest, scale, is_enum: isEnum, is_deterministic: isDeterministic } = column
  return {
    name,
    type,
    keeps ({ type: kind, isUuid, decimals }) {
      switch (kind) {
        case 'text': return TEXT.includes(type) || isEnum || (type === 'uuid' && isUuid) || /(^|\.)citext$/.test(type)
        case 'integer': return WHOLE.includes(type) || (type === 'numeric' && (scale ?? 0) === 0)
        case 'number':
          return type === 'double precision' || (type === 'numeric' && (scale === null || (decimals ?? 999) <= scale))
        case 'boolean': return type === 'boolean'
        case 'json': return type === 'json' || type === 'jsonb' || TEXT.includes(type)
      }
    },
    tellsApart ({ type: kind, isUuid }) {
      if (kind === 'integer') return WHOLE.includes(type)
      return isUuid ? type === 'uuid' || TEXT.includes(type) : TEXT.includes(type) && isDeterministic
    },
    advice: 'Take text with a deterministic collation, uuid with Type.String({ format: "uuid" }) as its schema, or a ' +
      'whole number with Type.Integer().',
    longest: longest ?? undefined,
    isNotNull: column.not_null,
    hasDefault: column.has_default,
    isGenerated: column.is_generated
  }
}
