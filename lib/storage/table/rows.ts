import { InvalidKeyError } from '../../errors.js'
import type { TableDescription } from './description.js'
import type { Answer } from './engine.js'
import { statementsOn, type ReadHow, type RowId, type Versions, type WrittenRow } from './statements.js'

/** The columns of a value by their aliases, and the id: as the value has it, or as the row has it. */
export interface WrittenColumns extends Readonly<Record<string, unknown>> { id: readonly unknown[] }

/** A row as it was found, or as a statement left it. */
export type FoundRow = WrittenColumns & { version: string, replaced: string | null, digest: string | null }

type Write = WrittenColumns & WrittenRow

/** Sends the statements of `statementsAdapter`, and gives the rows that they left. */
export function rowsOn (table: TableDescription) {
  const { engine, properties, ids } = table
  const statements = statementsOn(table)
  const hasMade = properties.some(({ isReadOnly, idIndex }) => isReadOnly && idIndex === undefined)

  const found = ({ rows }: Answer, id: RowId): FoundRow[] => rows.map((row) => ({ ...row, id }) as never)

  async function read (client: unknown, id: RowId, how?: ReadHow): Promise<FoundRow | undefined> {
    return found(await engine.run(client, statements.read(id, how)), id)[0]
  }

  // The row as the statement left it. Where RETURNING is missing, what the database made is read, if nobody has written
  // since; the write was applied whatever becomes of that read.
  async function written (client: unknown, answer: Answer, id: RowId, row: Write): Promise<FoundRow[]> {
    if (engine.returns) return found(answer, id)
    if (answer.changed === 0) return []
    const left = hasMade ? await read(client, id, { versions: [row.version] }).catch(() => undefined) : undefined
    return [left ?? { ...row, id, replaced: null }]
  }

  async function insertPlain (client: unknown, id: RowId, row: Write): Promise<Answer> {
    // It would make the next id (engine-facts#mariadb-auto-increment-zero).
    const index = ids.findIndex(({ type }, index) => type === 'integer' && id[index] === 0)
    if (index >= 0) throw new InvalidKeyError('has the id 0, which cannot be created')
    return await engine.run(client, statements.insert(id, row))
  }

  return {
    read,

    async update (client: unknown, id: RowId, row: Write, versions: Versions): Promise<FoundRow[]> {
      return await written(client, await engine.run(client, statements.update(id, row, versions)), id, row)
    },

    async insert (client: unknown, id: RowId, row: Write): Promise<FoundRow[]> {
      if (engine.returns) return found(await engine.run(client, statements.insert(id, row)), id)
      const revive = statements.revive(id, row)
      const revived = revive && await written(client, await engine.run(client, revive), id, row)
      if (revived !== undefined && revived.length > 0) return revived
      return await written(client, await insertPlain(client, id, row), id, row)
    },

    async remove (client: unknown, id: RowId, token: string, versions: Versions): Promise<number> {
      const { rows, changed } = await engine.run(client, statements.remove(id, token, versions))
      return engine.returns ? rows.length : changed
    }
  }
}
