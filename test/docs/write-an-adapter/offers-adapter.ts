import type Database from 'better-sqlite3'
import { errorCodes } from 'fastify-if-match'
import { copyJson, newVersion, writeThenRead } from 'fastify-if-match/storage'
import type { Expectation, StorageAdapter, Stored } from 'fastify-if-match/storage'
import { sqliteFault, type Mapping } from 'fastify-if-match/storage/statements'
import type { Offer } from './offer.js'

interface Row {
  title: string
  price: number
  published: number                                       // SQLite has no booleans: 0 or 1
  version: string
  replaced: string | null
  digest: string | null
}

export function offersAdapter<T> (database: Database.Database, mapping: Mapping<T, Offer>): StorageAdapter<T> {
  const isExpected = '(@versions IS NULL OR version IN (SELECT value FROM json_each(@versions)))'
  const select = database.prepare<object, Row>('SELECT * FROM offers WHERE id = @id')
  const update = database.prepare(`
    UPDATE offers
    SET title = @title, price = @price, published = @published, version = @version, replaced = version, digest = @digest
    WHERE id = @id AND ${isExpected}`)
  const insert = database.prepare(`
    INSERT INTO offers (id, title, price, published, version, digest)
    VALUES (@id, @title, @price, @published, @version, @digest)
    ON CONFLICT (id) DO NOTHING`)
  const remove = database.prepare(`DELETE FROM offers WHERE id = @id AND ${isExpected}`)

  function rowOf (id: string): Row | undefined {
    try {
      return select.get({ id })
    } catch (cause) {
      throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE({ cause })
    }
  }

  async function readEntity (id: string): Promise<Stored<T> | undefined> {
    const row = rowOf(id)
    if (row === undefined) return undefined
    const { title, price, published, version, replaced, digest } = row
    const value = mapping.toValue({ title, price, published: published === 1 })
    return { value, version, replaced: replaced ?? undefined, digest: digest ?? undefined }
  }

  // One statement compares and acts: this is the atomic step. False: no row matched, and nothing was changed.
  function changesRow (statement: Database.Statement, row: object): boolean {
    try {
      return statement.run(row).changes === 1
    } catch (cause) {
      throw sqliteFault(cause) ?? new errorCodes.FST_IF_MATCH_OUTCOME_UNKNOWN({ cause })
    }
  }

  return {
    async read (key, options) {
      const id = mapping.toId(key)
      options?.signal?.throwIfAborted()
      return await readEntity(id)
    },

    async write (key, value, expectation, options) {
      const id = mapping.toId(key)
      const { title, price, published } = mapping.toColumns(copyJson(value))
      const version = newVersion()
      const digest = options?.digest ?? null
      const row = { id, title, price, published: Number(published), version, digest, versions: versionsOf(expectation) }
      const mayReplace = expectation.kind !== 'absent'
      const mayCreate = expectation.kind === 'absent' || expectation.kind === 'any'
      return await writeThenRead(expectation, async () => {
        options?.signal?.throwIfAborted()
        if (mayReplace && changesRow(update, row)) return { applied: true, version, created: false }
        if (mayCreate && changesRow(insert, row)) return { applied: true, version, created: true }
        return undefined
      }, async () => await readEntity(id))
    },

    async remove (key, expectation, options) {
      const id = mapping.toId(key)
      const row = { id, versions: versionsOf(expectation) }
      return await writeThenRead(expectation, async () => {
        options?.signal?.throwIfAborted()
        return changesRow(remove, row) ? { applied: true } : undefined
      }, async () => await readEntity(id))
    }
  }
}

// Null: any version fits.
function versionsOf (expectation: Expectation): string | null {
  return expectation.kind === 'version' ? JSON.stringify(expectation.versions) : null
}
