import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import { shapeOf, type TableShape } from './description.js'
import type { TableName } from './engine.js'
import { mysqlTriggers } from './mysql-triggers.js'
import type { TableOptions } from './options.js'
import { postgresTriggers } from './postgres-triggers.js'
import { sqliteTriggers } from './sqlite-triggers.js'
import { columnsToAdd, movesOf, nameOf, rowsToFill, type Child, type Moves } from './moves.js'

/** A table whose rows are parts of the entity. */
export interface ChildTable {
  /** Its name, in the schema of the parent unless it names another one. */
  table: string | readonly string[]
  /** The columns that refer to the columns of the parent's id, in their order. */
  references: string | readonly string[]
}

/** Options of `migration`. */
export interface MigrationOptions extends TableOptions {
  children?: readonly ChildTable[] | undefined
  /** `false`: the columns of the version are there, and only the triggers are made (default `true`). */
  addColumns?: boolean | undefined
}

const TRIGGERS: Record<TableShape['engine']['dialect'], (moves: Moves) => string[]> = {
  postgres: postgresTriggers, sqlite: sqliteTriggers, mysql: mysqlTriggers
}

/**
 * The SQL that adds a version to a table that is there: the column, with a version for each row; a trigger that gives a
 * new one to a row that is changed past the adapter; and for each child table triggers that move the version of the
 * parent when a child is inserted, changed, deleted, or moved to another parent.
 *
 * Each item is one statement, to be run in this order, once. The triggers alone (`addColumns: false`) may be run again.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS
 * @example
 * for (const sql of migration({ dialect: 'postgres', table: 'orders', id: 'id', version: 'row_version',
 *   children: [{ table: 'order_lines', references: 'order_id' }] })) console.log(`${sql};`)
 */
export function migration (options: MigrationOptions): string[] {
  const { children, addColumns, ...table } = Object(options) as MigrationOptions
  const { dialect, table: name, id, version, names, replaced, digest } = table
  const known = { dialect, table: name, id, version, names, replaced, digest, children, addColumns }
  assertNoFlaw('migration()', [unknownOption(options, known)])
  return migrationOf(shapeOf('migration()', table), { children, addColumns })
}

/** The same for a table that was described already. */
export function migrationOf (
  shape: TableShape,
  { children = [], addColumns = true }: Pick<MigrationOptions, 'children' | 'addColumns'>
): string[] {
  const found = [children].flat().map((child) => childOf(child as ChildTable, shape))
  assertNoFlaw('migration()', [
    [
      found.some((child) => child === undefined),
      '"children" must be a list of { table, references }, with a column for each column of the id.'
    ],
    [typeof addColumns !== 'boolean', '"addColumns" must be true or false.'],
    [
      shape.version.kind === 'trigger',
      'its version is of the kind "trigger": the trigger is yours, and it cannot be told how children move it.'
    ]
  ])
  const moves = movesOf(shape, found as Child[])
  const triggers = TRIGGERS[shape.engine.dialect](moves)
  return addColumns ? [...columnsToAdd(moves), ...triggers, ...rowsToFill(moves)] : triggers
}

function childOf (child: ChildTable, { table, ids }: TableShape): Child | undefined {
  const { table: name, references } = Object(child) as ChildTable
  const path = typeof name === 'string' ? name.split('.') : [name].flat() as string[]
  const columns = [references].flat() as string[]
  const isRight = path.length <= 2 && columns.length === ids.length &&
    [...path, ...columns].every((part) => typeof part === 'string' && part !== '')
  if (!isRight) return undefined
  const named: TableName = { schema: path.length === 2 ? path[0] : table.schema, name: path.at(-1)! }
  return { table: named, columns, name: nameOf(named.name, ...columns, table.name) }
}
