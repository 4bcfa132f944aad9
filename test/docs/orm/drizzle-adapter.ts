import { and, eq, inArray } from 'drizzle-orm'
import { bigint, boolean, pgTable, text, timestamp, type PgDatabase, type PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { StorageAdapter } from 'fastify-if-match'
import { sqlStateFault, statementsAdapter, type Mapping } from 'fastify-if-match/storage/statements'
import type { Offer } from './offer.js'

export const offers = pgTable('offers', {
  id: text().primaryKey(),
  title: text().notNull(),
  price: bigint({ mode: 'number' }).notNull(),
  published: boolean().notNull(),
  updatedAt: timestamp('updated_at').notNull().defaultNow().$onUpdate(() => new Date()),
  version: text().notNull(),
  replaced: text(),
  digest: text()
})

/** The database, or a transaction of it. */
export type Client = PgDatabase<PgQueryResultHKT>

export function drizzleAdapter<T> (db: Client, mapping: Mapping<T, Offer>): StorageAdapter<T> {
  const { id: primary, version } = offers
  const where = (id: string, versions?: readonly string[]) =>
    and(eq(primary, id), versions && inArray(version, [...versions]))
  const one = { id: primary }
  return statementsAdapter({
    ...mapping,
    client: db,
    read: async (on, id) => (await on.select().from(offers).where(where(id)))[0],
    update: async (on, id, row, versions) =>
      (
        await on
          .update(offers)
          .set({ ...row, replaced: version })
          .where(where(id, versions))
          .returning(one)
      ).length,
    insert: async (on, id, row) =>
      (
        await on
          .insert(offers)
          .values({ id, ...row })
          .onConflictDoNothing({ target: primary })
          .returning(one)
      ).length,
    remove: async (on, id, versions) => (await on.delete(offers).where(where(id, versions)).returning(one)).length,
    faultOf: sqlStateFault
  })
}
