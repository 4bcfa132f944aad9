import { readFileSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/pglite'
import root, { type Test } from 'tap'
import { DataSource } from 'typeorm'
import type { StorageAdapter } from 'fastify-if-match'
import { fileOf } from '../../support/sqlite/handles.js'
import { drizzleAdapter } from './drizzle-adapter.js'
import { offer, type Offer } from './offer.js'
import { Offers, typeormAdapter } from './typeorm-adapter.js'

const AUDIT = 'CREATE TABLE audit (note text NOT NULL)'

/** Awaited around every statement that the adapter sends; what it throws is what the statement throws. */
export interface Hooks { before: (sql: string) => unknown, after: (sql: string) => unknown }

/** An adapter of the guide, and what else a test needs of its database. */
export interface Subject {
  adapter: StorageAdapter<Offer>
  hooks: Hooks
  /** Runs SQL that the adapter knows nothing of. */
  act: (sql: string) => Promise<unknown>
  rows: (sql: string) => Promise<unknown[]>
  /** Runs in a transaction; `note` writes to a table of the app in it. */
  transaction: <R>(run: (client: unknown, note: (text: string) => Promise<unknown>) => Promise<R>) => Promise<R>
}

const hooksOf = (): Hooks => ({ before: () => {}, after: () => {} })

// To start an engine takes longer than all the rest: one for all of a file's tests, which run one after the other.
let engine: Promise<PGlite> | undefined
root.teardown(async () => { await (await engine)?.close() })

async function drizzleSubject (): Promise<Subject> {
  const database = await (engine ??= PGlite.create())
  await database.exec(
    `DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${readFileSync('test/docs/orm/drizzle.sql', 'utf8')};${AUDIT}`
  )
  const hooks = hooksOf()
  const client = new Proxy(database, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (name !== 'query') return typeof member === 'function' ? member.bind(target) : member
      return async (sql: string, ...rest: []) => {
        await hooks.before(sql)
        const result = await target.query(sql, ...rest)
        await hooks.after(sql)
        return result
      }
    }
  })
  const db = drizzle({ client })
  return {
    adapter: drizzleAdapter(db, offer),
    hooks,
    act: async (sql) => await database.exec(sql),
    rows: async (sql) => (await database.query(sql)).rows,
    transaction: async (run) =>
      await db.transaction(
        async (tx) => await run(tx, async (text) => await tx.execute(`INSERT INTO audit VALUES ('${text}')`))
      )
  }
}

/** A source on the file, to be closed with the test. */
export async function sourceOn (t: Test, database: string): Promise<DataSource> {
  const source = await new DataSource({ type: 'better-sqlite3', database, timeout: 0, entities: [Offers] }).initialize()
  t.teardown(async () => { await source.destroy() })
  return source
}

/** A file with the tables. */
export function typeormFile (t: Test): { file: string, other: Database.Database } {
  const file = fileOf(t)
  const other = new Database(file, { timeout: 0 })
  t.teardown(() => { other.close() })
  other.pragma('journal_mode = WAL')
  other.exec(`${readFileSync('test/docs/orm/typeorm.sql', 'utf8')};${AUDIT}`)
  return { file, other }
}

async function typeormSubject (t: Test): Promise<Subject> {
  const { file, other } = typeormFile(t)
  const source = await sourceOn(t, file)
  // One connection a source: the transactions have theirs.
  const transactions = await sourceOn(t, file)
  const hooks = hooksOf()
  source.subscribers.push({
    beforeQuery: async ({ query }) => { await hooks.before(query) },
    afterQuery: async ({ query, success }) => { if (success) await hooks.after(query) }
  })
  return {
    adapter: typeormAdapter(source, offer),
    hooks,
    act: async (sql) => other.exec(sql),
    rows: async (sql) => other.prepare(sql).all(),
    transaction: async (run) =>
      await transactions.transaction(
        async (manager) =>
          await run(manager, async (text) => await manager.query('INSERT INTO audit VALUES (?)', [text]))
      )
  }
}

export const subjects: Record<string, (t: Test) => Promise<Subject>> = {
  drizzle: drizzleSubject,
  typeorm: typeormSubject
}

export const wave: Offer = { title: 'Wave', price: 1900, published: false }

export const KEY = '/offers/wave'

/** Creates the offer and gives its version. */
export async function create (adapter: StorageAdapter<Offer>): Promise<string> {
  const result = await adapter.write(KEY, wave, { kind: 'absent' })
  if (!result.applied) throw new Error('it is there already')
  return result.version
}
