import { quotedTable } from './engine.js'
import type { Moves } from './moves.js'
import { nameOf } from './moves.js'

/**
 * A trigger BEFORE UPDATE puts the new version into the row that is written. It leaves a row alone whose version is
 * another one already, as after a write of the adapter, and after a trigger of a child.
 */
export function postgresTriggers (moves: Moves): string[] {
  const { shape, table, version, isOld, set, nextOf, others, children, isParent, quote } = moves
  const { engine, table: { schema, name } } = shape
  const inSchema = (name: string): string => schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`
  const own = nameOf(name)
  const lines = [
    ...others.map(([column, valueOf]) => `NEW.${column} := ${valueOf(`OLD.${version}`)};`),
    `NEW.${version} := ${nextOf(`OLD.${version}`)};`
  ]
  return [
    `CREATE OR REPLACE FUNCTION ${inSchema(own)}() RETURNS trigger LANGUAGE plpgsql AS ` +
      dollarQuoted(`BEGIN\n${lines.map((line) => `  ${line}\n`).join('')}  RETURN NEW;\nEND`),
    `DROP TRIGGER IF EXISTS ${quote(own)} ON ${table}`,
    `CREATE TRIGGER ${quote(own)} BEFORE UPDATE ON ${table} FOR EACH ROW\n` +
      `  WHEN (${isOld}) EXECUTE FUNCTION ${inSchema(own)}()`,
    ...children.flatMap((child) => {
      const childTable = quotedTable(engine, child.table)
      const mover = child.name
      return [
        // The parent is the table that the migration found, whatever the search_path of who writes a child. OLD of an
        // INSERT and NEW of a DELETE are NULL, which no parent has.
        `CREATE OR REPLACE FUNCTION ${inSchema(mover)}() RETURNS trigger LANGUAGE plpgsql\n` +
          '  SET search_path FROM CURRENT AS ' + dollarQuoted(
          `BEGIN\n  UPDATE ${table} SET ${set}\n` +
            `    WHERE (${isParent(child, 'OLD')}) OR (${isParent(child, 'NEW')});\n  RETURN NULL;\nEND`
        ),
        `DROP TRIGGER IF EXISTS ${quote(mover)} ON ${childTable}`,
        `CREATE TRIGGER ${quote(mover)} AFTER INSERT OR UPDATE OR DELETE ON ${childTable} FOR EACH ROW\n` +
          `  EXECUTE FUNCTION ${inSchema(mover)}()`
      ]
    })
  ]
}

// A name may have the mark of the end in it.
function dollarQuoted (body: string): string {
  let mark = '$$'
  while (body.includes(mark)) mark = `$q${mark.slice(1)}`
  return `${mark} ${body} ${mark}`
}
