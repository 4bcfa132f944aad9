import { quotedTable } from './engine.js'
import type { Moves } from './moves.js'
import { nameOf } from './moves.js'

/**
 * Each body is one statement, so that no client needs another delimiter. Triggers BEFORE the write put the version into
 * the row; those of children run AFTER it. Rows that a foreign key deletes fire none.
 */
export function mysqlTriggers (moves: Moves): string[] {
  const { shape, table, version, isOld, set, nextOf, others, children, isParent, quote } = moves
  const { engine, table: { schema, name } } = shape
  const inSchema = (schema: string | undefined, name: string): string =>
    schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`
  const trigger = (schema: string | undefined, name: string, when: string, table: string, body: string): string[] => [
    `DROP TRIGGER IF EXISTS ${inSchema(schema, name)}`,
    `CREATE TRIGGER ${inSchema(schema, name)} ${when} ON ${table} FOR EACH ROW\n  ${body}`
  ]
  // The version is last: a later assignment sees an earlier one.
  const assignments = [
    ...others.map(([column, valueOf]) =>
      `NEW.${column} = if(${isOld}, ${valueOf(`OLD.${version}`)}, NEW.${column})`),
    `NEW.${version} = if(${isOld}, ${nextOf(`OLD.${version}`)}, NEW.${version})`
  ].join(', ')
  return [
    ...trigger(
      schema, `${nameOf(name)}_insert`, 'BEFORE INSERT', table,
      `SET NEW.${version} = if(NEW.${version} = '', ${nextOf('')}, NEW.${version})`
    ),
    ...trigger(schema, `${nameOf(name)}_update`, 'BEFORE UPDATE', table, `SET ${assignments}`),
    ...children.flatMap((child) => {
      const { schema } = child.table
      const childTable = quotedTable(engine, child.table)
      const to = (where: string): string => `UPDATE ${table} SET ${set} WHERE ${where}`
      const [old, now] = [isParent(child, 'OLD'), isParent(child, 'NEW')]
      return [
        ...trigger(schema, `${child.name}_insert`, 'AFTER INSERT', childTable, to(now)),
        ...trigger(schema, `${child.name}_update`, 'AFTER UPDATE', childTable, to(`(${old}) OR (${now})`)),
        ...trigger(schema, `${child.name}_delete`, 'AFTER DELETE', childTable, to(old))
      ]
    })
  ]
}
