import type { SqlValue } from './columns.js'
import type { Answer, Engine, Statement, TableName } from './engine.js'
import type { ColumnFacts, TableFacts } from './facts.js'
import { mysqlFault } from '../statements/index.js'

interface Client {
  /** Prepared: no value is ever part of the text, whatever the mode of the server makes of a backslash. */
  execute (sql: string, values: SqlValue[]): Promise<unknown>
  /** A client of mysql2 with callbacks gives the one with promises. */
  promise? (): Client
}

interface Column {
  name: string
  type: string
  full_type: string
  longest: number | bigint | null
  scale: number | bigint | null
  collation: string | null
  is_nullable: string
  column_default: unknown
  extra: string
}

const IN_TABLE = 'table_schema = coalesce(?, database()) AND table_name = ?'
const COLUMNS = 'SELECT column_name AS name, lower(data_type) AS type, column_type AS full_type, ' +
  'character_maximum_length AS longest, numeric_scale AS scale, collation_name AS collation, ' +
  'is_nullable AS is_nullable, column_default AS column_default, extra AS extra ' +
  `FROM information_schema.columns WHERE ${IN_TABLE}`
const KEYS = 'SELECT index_name AS index_name, column_name AS name FROM information_schema.statistics ' +
  `WHERE ${IN_TABLE} AND non_unique = 0 AND index_name NOT IN (SELECT index_name FROM information_schema.statistics ` +
  `WHERE ${IN_TABLE} AND (sub_part IS NOT NULL OR column_name IS NULL))`
const MODE = 'SELECT @@SESSION.sql_mode AS mode'

const WHOLE = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint']
const TEXT = ['varchar', 'tinytext', 'text', 'mediumtext', 'longtext']

/** MySQL and MariaDB, through mysql2 or mariadb. */
export const mysql: Engine = {
  dialect: 'mysql',
  returns: false,
  quote: (name) => `\`${name.replaceAll('`', '``')}\``,
  parameter: () => '?',
  idParameter: () => '?',
  // Drivers make dates, rounded numbers, Buffers and parsed JSON of other types.
  readable: (column) => `CONVERT(${column} USING utf8mb4)`,
  comparable: (column) => `CAST(${column} AS BINARY)`,
  bound: (value) => typeof value === 'boolean' ? Number(value) : value,
  newest: ' LOCK IN SHARE MODE',
  token: "replace(uuid(), '-', '')",
  run,
  faultOf: mysqlFault,
  factsOf
}

async function run (client: unknown, { text, values }: Statement): Promise<Answer> {
  const given = client as Client
  const answer = await (given.promise?.() ?? given).execute(text, values)
  // mysql2 gives the answer and the columns, mariadb the answer alone.
  const result = Array.isArray(answer) && !('meta' in answer) ? answer[0] as unknown : answer
  if (Array.isArray(result)) return { rows: result as Answer['rows'], changed: 0 }
  return { rows: [], changed: Number((result as { affectedRows: number | bigint }).affectedRows) }
}

async function factsOf (client: unknown, { schema, name }: TableName): Promise<TableFacts | undefined> {
  const ask = async <R>(text: string, values: SqlValue[]): Promise<R[]> =>
    (await run(client, { text, values })).rows as R[]
  const table = [schema ?? null, name]
  const columns = await ask<Column>(COLUMNS, table)
  if (columns.length === 0) return undefined
  const parts = await ask<{ index_name: string, name: string }>(KEYS, [...table, ...table])
  const indexes = [...new Set(parts.map(({ index_name: index }) => index))]
  const [{ mode }] = await ask<{ mode: string }>(MODE, []) as [{ mode: string }]
  return {
    columns: columns.map(factsOfColumn),
    keys: indexes.map((index) => parts.filter((part) => part.index_name === index).map(({ name }) => name).sort()),
    flaw: /STRICT_(TRANS|ALL)_TABLES/.test(mode)
      ? undefined
      : 'its sql_mode is not strict, so it changes values that do not fit. Add STRICT_TRANS_TABLES.'
  }
}

function factsOfColumn (column: Column): ColumnFacts {
  const { name, type, longest, collation, extra } = column
  const scale = Number(column.scale ?? 0)
  return {
    name,
    type: column.full_type,
    keeps ({ type: kind, decimals, values }) {
      switch (kind) {
        case 'text': return TEXT.includes(type) || (type === 'enum' && values !== undefined)
        case 'integer': return WHOLE.includes(type) || (type === 'decimal' && scale === 0)
        case 'number': return type === 'double' || (type === 'decimal' && (decimals ?? 999) <= scale)
        case 'boolean': return WHOLE.includes(type)
        case 'json': return type === 'json' || TEXT.includes(type)
      }
    },
    tellsApart ({ type: kind, isUuid }) {
      if (kind === 'integer') return WHOLE.includes(type)
      const isText = type === 'varchar' || (type === 'char' && isUuid)
      const tellsBytes = type === 'varbinary' || (isText && /(_nopad|_0900)_bin$/.test(String(collation)))
      return kind === 'text' && (tellsBytes || (isText && isUuid))
    },
    advice: 'Take VARCHAR with the collation utf8mb4_nopad_bin of MariaDB or utf8mb4_0900_bin of MySQL, VARBINARY, ' +
      'or a whole number with Type.Integer() as its schema: other collations take one text for another.',
    longest: longest === null ? undefined : Number(longest),
    isNotNull: column.is_nullable === 'NO',
    hasDefault: column.column_default !== null || /auto_increment/i.test(extra),
    isGenerated: /\b(VIRTUAL|STORED|PERSISTENT) GENERATED|^(VIRTUAL|PERSISTENT)/i.test(extra)
  }
}
