import type Database from 'better-sqlite3'
import type { StorageAdapter } from 'fastify-if-match/storage'
import { sqliteFault, statementsAdapter, type Mapping, type Row } from 'fastify-if-match/storage/statements'
import type { Offer } from './offer.js'

type Stored = Omit<Row<Offer>, 'published'> & { published: number }

const IS_ROW = `id = @id AND deleted_at IS NULL
  AND (@versions IS NULL OR version IN (SELECT value FROM json_each(@versions)))`

export function offersAdapter<T> (database: Database.Database, mapping: Mapping<T, Offer>): StorageAdapter<T> {
  const isRow = (id: string, versions?: readonly string[]) => ({ id, versions: versions && JSON.stringify(versions) })
  return statementsAdapter({
    ...mapping,
    client: database,
    read (client, id) {
      const row = client.prepare<object, Stored>(`SELECT * FROM offers WHERE ${IS_ROW}`).get(isRow(id))
      return row && { ...row, published: row.published === 1 }
    },
    update: (client, id, row, versions) => client.prepare(`
      UPDATE offers SET title = @title, price = @price, published = @published,
        version = @version, replaced = version, digest = @digest
      WHERE ${IS_ROW}`).run({ ...row, published: Number(row.published), ...isRow(id, versions) }).changes,
    insert: (client, id, row) => client.prepare(`
      INSERT INTO offers (id, title, price, published, version, digest)
      VALUES (@id, @title, @price, @published, @version, @digest)
      ON CONFLICT (id) DO UPDATE SET title = excluded.title, price = excluded.price, published = excluded.published,
        version = excluded.version, replaced = NULL, digest = excluded.digest, deleted_at = NULL
      WHERE offers.deleted_at IS NOT NULL`).run({ ...row, published: Number(row.published), id }).changes,
    remove: (client, id, versions) => client.prepare(`
      UPDATE offers SET deleted_at = datetime('now'), version = lower(hex(randomblob(12)))
      WHERE ${IS_ROW}`).run(isRow(id, versions)).changes,
    faultOf: sqliteFault
  })
}
