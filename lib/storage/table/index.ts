import type { Static, TObject } from '@sinclair/typebox'
import { InvalidValueError } from '../../errors.js'
import type { StorageAdapter } from '../adapter.js'
import { newVersion } from '../kit/version.js'
import { statementsAdapter } from '../statements/index.js'
import { checkTable } from './check.js'
import { columnsOf, ownMember, valueOf, type SqlValue } from './columns.js'
import { descriptionOf, type TableDescription } from './description.js'
import { migrationOf, type ChildTable } from './migration.js'
import type { TableAdapterOptions } from './options.js'
import { rowsOn, type WrittenColumns } from './rows.js'

export { migration, type ChildTable, type MigrationOptions } from './migration.js'
export type { Dialect } from './engine.js'
export type { DeletedOption, IdOption, TableAdapterOptions, TableOptions, VersionOption } from './options.js'

/** The adapter of one table. */
export interface TableAdapter<T = unknown> extends StorageAdapter<T> {
  /**
   * Looks at the table, which must keep what its description says.
   *
   * @throws FST_IF_MATCH_INVALID_ADAPTER, which says what to do
   */
  open (): Promise<void>
  /**
   * The SQL that adds the version and its triggers to this table, as `migration` makes it.
   *
   * @param more `children`, and `addColumns: false` where the columns are there
   */
  migration (more?: { children?: readonly ChildTable[] | undefined, addColumns?: boolean | undefined }): string[]
}

/**
 * An adapter over one plain table of your own, by its description: it makes the statements. PostgreSQL, SQLite, MySQL
 * and MariaDB. It is `statementsAdapter` with statements of its own, so what that one promises, it promises.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS if the description is no table
 * @example
 * const offers = tableAdapter({
 *   client: pool,
 *   table: 'offers',
 *   id: 'id',
 *   version: 'row_version',
 *   columns: Type.Object({ title: Type.String(), price: Type.Integer(), published: Type.Boolean() })
 * })
 * await app.register(ifMatch, { storage: offers })
 */
export function tableAdapter<S extends TObject> (options: TableAdapterOptions<S>): TableAdapter<Static<S>> {
  const table = descriptionOf(options)
  const { properties, inserts } = table
  const { client } = options
  const { read, update, insert, remove } = rowsOn(table)
  const adapter = statementsAdapter<Static<S>, WrittenColumns, object, readonly SqlValue[]>({
    client,
    toId: table.toId,
    toColumns: (value) => ({ ...columnsOf(value, properties), id: idIn(value, table) }),
    toValue: (row) => valueOf(row, properties, row.id as SqlValue[]) as Static<S>,
    read: async (client, id, how) => await read(client, id, how),
    async update (client, id, row, versions) {
      assertSameId(row.id, id, table)
      return await update(client, id, row, versions)
    },
    ...inserts && {
      async insert (client: object, id: readonly SqlValue[], row) {
        assertSameId(row.id, id, table)
        return await insert(client, id, row)
      }
    },
    remove: async (client, id, versions) => await remove(client, id, newVersion(), versions),
    faultOf: table.engine.faultOf
  })
  return {
    ...adapter,
    open: async () => await checkTable(client, table),
    migration: (more = {}) => migrationOf(table, more)
  }
}

// What a value says of the id that its key has already.
function idIn (value: unknown, { properties, ids }: TableDescription): unknown[] {
  return ids.map((_, index) => {
    const property = properties.find(({ idIndex }) => idIndex === index)
    return property && ownMember(value as object, property.name)
  })
}

function assertSameId (given: readonly unknown[], id: readonly SqlValue[], { properties }: TableDescription): void {
  const index = given.findIndex((value, index) => value !== undefined && value !== id[index])
  if (index === -1) return
  const { name } = properties.find(({ idIndex }) => idIndex === index)!
  throw new InvalidValueError(`its property "${name}" is that of another entity`)
}
