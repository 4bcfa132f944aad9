import { randomBytes } from 'node:crypto'
import type Database from 'better-sqlite3'
import {
  errorCodes,
  type Expectation,
  type ReadOptions,
  type Refused,
  type StorageAdapter,
  type Stored
} from 'fastify-if-match'

export interface Offer { title: string, price: number, published: boolean }
export interface Columns { title: string, price: number, published: number }

export interface Mapping<T> {
  /** @throws FST_IF_MATCH_INVALID_KEY for what is no key of this table */
  toId (key: string): string
  /** @throws FST_IF_MATCH_INVALID_VALUE for what the columns would change, drop or refuse */
  toColumns (value: T): Columns
  toValue (columns: Columns): T
}

export const offers: Mapping<Offer> = {
  // A key is `/offers/` and what encodeURIComponent made of the id. Any other spelling would be a second key of the row.
  toId (key) {
    let id: string | undefined
    try { id = decodeURIComponent(key.slice('/offers/'.length)) } catch {}
    if (isText(id) && id !== '' && id.length <= 100 && key === `/offers/${encodeURIComponent(id)}`) return id
    throw new errorCodes.FST_IF_MATCH_INVALID_KEY('is not that of an offer')
  },

  toColumns (value) {
    const { title, price, published, ...more } = Object(value)
    const isOffer =
      isText(title) && Number.isSafeInteger(price) && typeof published === 'boolean' && Object.keys(more).length === 0
    if (isOffer) return { title, price, published: Number(published) }
    throw new errorCodes.FST_IF_MATCH_INVALID_VALUE(
      'an offer is a title, a price in cents, published, and nothing else'
    )
  },

  toValue: ({ title, price, published }) => ({ title, price, published: published === 1 })
}

// A lone surrogate would come back as U+FFFD, and PostgreSQL has no U+0000 in its texts.
function isText (text: unknown): text is string {
  return typeof text === 'string' && text.isWellFormed() && !text.includes('\0')
}

type Row = Columns & { version: string, replaced: string | null, digest: string | null }

const ATTEMPTS = 32

export function offersAdapter<T> (
  database: Pick<Database.Database, 'prepare'>,
  { toId, toColumns, toValue }: Mapping<T>
): StorageAdapter<T> {
  const isExpected = '(@versions IS NULL OR version IN (SELECT value FROM json_each(@versions)))'
  const select = database.prepare(
    'SELECT title, price, published, version, replaced, digest FROM offers WHERE id = @id'
  )
  const update = database.prepare(
    'UPDATE offers SET title = @title, price = @price, published = @published, ' +
      `replaced = version, version = @version, digest = @digest WHERE id = @id AND ${isExpected}`
  )
  const insert = database.prepare(
    'INSERT INTO offers (id, title, price, published, version, digest) ' +
      'VALUES (@id, @title, @price, @published, @version, @digest) ON CONFLICT (id) DO NOTHING'
  )
  const remove = database.prepare(`DELETE FROM offers WHERE id = @id AND ${isExpected}`)

  async function look (id: string): Promise<Stored<T> | undefined> {
    let row: Row | undefined
    try {
      row = select.get({ id }) as Row | undefined
    } catch (cause) {
      throw new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE({ cause })
    }
    return (
      row && {
        value: toValue(row),
        version: row.version,
        replaced: row.replaced ?? undefined,
        digest: row.digest ?? undefined
      }
    )
  }

  // Compares and acts in one statement, the atomic step. False: there was no such row, and nothing happened.
  async function run (statement: Database.Statement, row: object): Promise<boolean> {
    try {
      return statement.run(row).changes === 1
    } catch (cause) {
      throw faultOf(cause)
    }
  }

  // Write; if nothing matched, read; if what was read would satisfy the expectation, it came in between: again.
  async function change<A> (
    id: string,
    expectation: Expectation,
    options: ReadOptions | undefined,
    write: () => Promise<A | undefined>
  ): Promise<A | Refused<T>> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      options?.signal?.throwIfAborted()
      const applied = await write()
      if (applied !== undefined) return applied
      const current = await look(id)
      if (!satisfies(expectation, current?.version)) return { applied: false, current }
    }
    throw new errorCodes.FST_IF_MATCH_CONTENTION(ATTEMPTS)
  }

  return {
    async read (key, options) {
      const id = toId(key)
      options?.signal?.throwIfAborted()
      return await look(id)
    },

    async write (key, value, expectation, options) {
      const { kind } = expectation
      const id = toId(key)
      const version = randomBytes(12).toString('base64url')
      const row = {
        id,
        ...toColumns(value),
        version,
        digest: options?.digest ?? null,
        versions: versionsOf(expectation)
      }
      return await change(id, expectation, options, async () => {
        if (kind !== 'absent' && (await run(update, row))) return { applied: true as const, version, created: false }
        if ((kind === 'absent' || kind === 'any') && (await run(insert, row))) { return { applied: true as const, version, created: true } }
        return undefined
      })
    },

    async remove (key, expectation, options) {
      const id = toId(key)
      const row = { id, versions: versionsOf(expectation) }
      return await change(id, expectation, options, async () =>
        (await run(remove, row)) ? { applied: true as const } : undefined
      )
    }
  }
}

// Null: whatever the version is.
function versionsOf (expectation: Expectation): string | null {
  return expectation.kind === 'version' ? JSON.stringify(expectation.versions) : null
}

function satisfies (expectation: Expectation, version: string | undefined): boolean {
  switch (expectation.kind) {
    case 'version': return version !== undefined && expectation.versions.includes(version)
    case 'exists': return version !== undefined
    case 'absent': return version === undefined
    case 'any': return true
  }
}

// UNAVAILABLE says that nothing was written, so it is for what SQLite is known to undo. In doubt it is UNKNOWN.
function faultOf (cause: unknown): Error {
  const code = String((cause as { code?: unknown }).code)
  if (code.startsWith('SQLITE_CONSTRAINT')) { return new errorCodes.FST_IF_MATCH_INVALID_VALUE('a constraint of the table refuses it', { cause }) }
  if (/^SQLITE_(BUSY|FULL|READONLY)/.test(code)) return new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE({ cause })
  return new errorCodes.FST_IF_MATCH_OUTCOME_UNKNOWN({ cause })
}
