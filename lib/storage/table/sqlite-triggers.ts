import type { Moves } from './moves.js'
import { nameOf } from './moves.js'

/**
 * A trigger of SQLite cannot change the row that is being written, so one AFTER UPDATE writes it again. That does not
 * fire it a second time, even with `recursive_triggers`: the version is another one by then.
 */
export function sqliteTriggers (moves: Moves): string[] {
  const { shape, bareTable, version, isOld, set, nextOf, others, children, isParent, quote } = moves
  const { table: { schema, name }, ids } = shape
  const inSchema = (name: string): string => schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`
  const isRow = ids.map(({ column }) => `${quote(column)} = NEW.${quote(column)}`).join(' AND ')
  const trigger = (name: string, event: string, table: string, when: string | undefined, body: string): string[] => [
    `DROP TRIGGER IF EXISTS ${inSchema(name)}`,
    `CREATE TRIGGER ${inSchema(name)} AFTER ${event} ON ${table} FOR EACH ROW` +
      `${when === undefined ? '' : ` WHEN ${when}`} BEGIN\n  ${body};\nEND`
  ]
  const setOfOld = [
    ...others.map(([column, valueOf]) => `${column} = ${valueOf(`OLD.${version}`)}`),
    `${version} = ${nextOf(`OLD.${version}`)}`
  ].join(', ')
  const isCounter = shape.version.kind === 'counter'
  return [
    ...isCounter
      ? []
      : trigger(
        `${nameOf(name)}_insert`, 'INSERT', bareTable, `NEW.${version} = ''`,
        `UPDATE ${bareTable} SET ${version} = ${nextOf('')} WHERE ${isRow}`
      ),
    ...trigger(
      `${nameOf(name)}_update`, 'UPDATE', bareTable, isOld,
      `UPDATE ${bareTable} SET ${setOfOld} WHERE ${isRow}`
    ),
    ...children.flatMap((child) => {
      const to = (where: string): string => `UPDATE ${bareTable} SET ${set} WHERE ${where}`
      const [old, now] = [isParent(child, 'OLD'), isParent(child, 'NEW')]
      const childTable = quote(child.table.name)
      return [
        ...trigger(`${child.name}_insert`, 'INSERT', childTable, undefined, to(now)),
        ...trigger(`${child.name}_update`, 'UPDATE', childTable, undefined, to(`(${old}) OR (${now})`)),
        ...trigger(`${child.name}_delete`, 'DELETE', childTable, undefined, to(old))
      ]
    })
  ]
}
