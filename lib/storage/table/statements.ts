import type { SqlValue } from './columns.js'
import type { TableDescription } from './description.js'
import { quotedTable, type Statement } from './engine.js'

/** What a write stores: the columns of the value by their aliases, and what the adapter keeps beside them. */
export interface WrittenRow extends Readonly<Record<string, unknown>> { version: string, digest: string | null }

/** The ids that a row is found by. */
export type RowId = readonly SqlValue[]

/** Versions that a row may have; undefined: any. */
export type Versions = readonly string[] | undefined

/** Which row a read takes, and whether it looks past the snapshot of its transaction. */
export interface ReadHow { versions?: Versions, newest?: boolean }

/** The statements on a table. They are texts with parameters: no name and no value of a client gets into them. */
export type Statements = ReturnType<typeof statementsOn>

/** Makes the statements on a table. */
export function statementsOn (table: TableDescription) {
  const { engine, ids, properties, version, replaced, digest, deleted } = table
  const { quote, bound } = engine
  const name = quotedTable(engine, table.table)
  const own = `${quote(table.table.name)}.`
  const written = properties.filter(({ isReadOnly }) => !isReadOnly)
  const versionColumn = quote(version.column)
  // An entity-tag has no space, and a timestamp as text has one (RFC 9110 8.8.3).
  const [versionRead, versionCompared] = [engine.readable(versionColumn, 'text'), engine.comparable(versionColumn)]
    .map((text) => version.kind === 'trigger' ? `replace(${text}, ' ', 'T')` : text)
  const live = deleted && (deleted.kind === 'time'
    ? `${quote(deleted.column)} IS NULL`
    : `${quote(deleted.column)} IS NOT TRUE`)
  const marked = deleted && (deleted.kind === 'time'
    ? `${own}${quote(deleted.column)} IS NOT NULL`
    : `${own}${quote(deleted.column)} IS TRUE`)
  const mark = deleted && `${quote(deleted.column)} = ${deleted.kind === 'time' ? 'CURRENT_TIMESTAMP' : 'TRUE'}`
  const unmark = deleted && `${quote(deleted.column)} = ${deleted.kind === 'time' ? 'NULL' : 'FALSE'}`
  const columns = [
    `${versionRead} AS version`,
    ...replaced === undefined ? [] : [`${engine.readable(quote(replaced), 'text')} AS replaced`],
    ...digest === undefined ? [] : [`${engine.readable(quote(digest), 'text')} AS digest`],
    ...properties.filter(({ idIndex }) => idIndex === undefined).map(({ column, type, alias }) =>
      `${engine.readable(quote(column), type)} AS ${alias}`)
  ].join(', ')
  const returning = engine.returns ? ` RETURNING ${columns}` : ''
  const returningOne = engine.returns ? ' RETURNING 1 AS one' : ''

  // Collects the values of a statement in the order in which its text has their parameters.
  function parameters () {
    const values: SqlValue[] = []
    return {
      values,
      of: (value: SqlValue): string => engine.parameter(values.push(value)),
      ofId: (index: number, id: RowId): string => {
        const { type } = ids[index]!
        return engine.idParameter(values.push(bound(id[index]!, type)), type)
      }
    }
  }

  type Parameters = ReturnType<typeof parameters>

  function whereOf (to: Parameters, id: RowId, versions: Versions, isLive = live): string {
    return [
      ...ids.map(({ column }, index) => `${quote(column)} = ${to.ofId(index, id)}`),
      ...isLive === undefined ? [] : [isLive],
      ...versions === undefined ? [] : [`${versionCompared} IN (${versions.map(to.of).join(', ')})`]
    ].join(' AND ')
  }

  // In MySQL a later assignment sees an earlier one, so the version that is replaced comes first
  // (engine-facts#mariadb-set-order).
  function moveOf (to: Parameters, token: string, keepsReplaced = true): string[] {
    const current = `${own}${versionColumn}`
    return [
      ...replaced === undefined ? [] : [`${quote(replaced)} = ${keepsReplaced ? current : 'NULL'}`],
      ...version.kind === 'token' ? [`${versionColumn} = ${to.of(token)}`] : [],
      ...version.kind === 'counter' ? [`${versionColumn} = ${current} + 1`] : []
    ]
  }

  function setOf (to: Parameters, row: WrittenRow): string[] {
    return [
      ...digest === undefined ? [] : [`${quote(digest)} = ${to.of(row.digest)}`],
      ...written.map(({ column, alias, type }) => `${quote(column)} = ${to.of(bound(row[alias] as SqlValue, type))}`)
    ]
  }

  return {
    /** The current row; with `versions`, if its version is one of them. */
    read (id: RowId, { versions, newest }: ReadHow = {}): Statement {
      const to = parameters()
      const end = newest === true ? engine.newest : ''
      return { text: `SELECT ${columns} FROM ${name} WHERE ${whereOf(to, id, versions)}${end}`, values: to.values }
    },

    /** Changes the row, which gets a new version. */
    update (id: RowId, row: WrittenRow, versions: Versions): Statement {
      const to = parameters()
      const set = [...moveOf(to, row.version), ...setOf(to, row)].join(', ')
      return { text: `UPDATE ${name} SET ${set} WHERE ${whereOf(to, id, versions)}${returning}`, values: to.values }
    },

    /**
     * Inserts the row. Where it is there, it does nothing, unless it is marked as deleted: then it gets the mark off,
     * and a new version. An engine without ON CONFLICT refuses a row that is there.
     */
    insert (id: RowId, row: WrittenRow): Statement {
      const to = parameters()
      const fields = [
        ...ids.map(({ column }, index) => [column, to.ofId(index, id)] as const),
        ...version.kind === 'token' ? [[version.column, to.of(row.version)] as const] : [],
        ...version.kind === 'counter' ? [[version.column, '1'] as const] : [],
        ...digest === undefined ? [] : [[digest, to.of(row.digest)] as const],
        ...written.map(({ column, alias, type }) => [column, to.of(bound(row[alias] as SqlValue, type))] as const)
      ]
      const into = fields.map(([column]) => quote(column)).join(', ')
      const values = fields.map(([, value]) => value).join(', ')
      const text = `INSERT INTO ${name} (${into}) VALUES (${values})`
      if (!engine.returns) return { text, values: to.values }
      const key = ids.map(({ column }) => quote(column)).join(', ')
      const revive = unmark === undefined
        ? 'NOTHING'
        : `UPDATE SET ${[...moveOf(to, row.version, false), unmark, ...setOf(to, row)].join(', ')} WHERE ${marked}`
      return { text: `${text} ON CONFLICT (${key}) DO ${revive}${returning}`, values: to.values }
    },

    /** Takes the mark off, for an engine whose INSERT cannot. Undefined: the table has no marks. */
    revive (id: RowId, row: WrittenRow): Statement | undefined {
      if (unmark === undefined) return undefined
      const to = parameters()
      const set = [...moveOf(to, row.version, false), unmark, ...setOf(to, row)].join(', ')
      return { text: `UPDATE ${name} SET ${set} WHERE ${whereOf(to, id, undefined, marked)}`, values: to.values }
    },

    /** Deletes the row, or marks it: then it gets a new version, so that the old one fits nothing any more. */
    remove (id: RowId, token: string, versions: Versions): Statement {
      const to = parameters()
      if (mark === undefined) {
        return { text: `DELETE FROM ${name} WHERE ${whereOf(to, id, versions)}${returningOne}`, values: to.values }
      }
      const set = [...moveOf(to, token), mark].join(', ')
      return { text: `UPDATE ${name} SET ${set} WHERE ${whereOf(to, id, versions)}${returningOne}`, values: to.values }
    }
  }
}
