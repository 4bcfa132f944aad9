import { and, eq, inArray } from 'drizzle-orm'
import { bigint, boolean, pgTable, text, timestamp, type PgDatabase, type PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { StorageAdapter } from 'fastify-if-match/storage'
import { sqlStateFault, statementsAdapter, type Mapping } from 'fastify-if-match/storage/statements'
import type { Offer } from '../offer.js'

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

const isRow = (id: string, versions?: readonly string[]) =>
  and(eq(offers.id, id), versions && inArray(offers.version, [...versions]))
const ID = { id: offers.id }

export function offersAdapter<T> (db: Client, mapping: Mapping<T, Offer>): StorageAdapter<T> {
  return statementsAdapter({
    ...mapping,
    client: db,
    async read (client, id) {
      const rows = await client.select().from(offers).where(isRow(id))
      return rows[0]
    },
    async update (client, id, row, versions) {
      const change = client.update(offers).set({ ...row, replaced: offers.version })
      return (await change.where(isRow(id, versions)).returning(ID)).length
    },
    async insert (client, id, row) {
      const insert = client.insert(offers).values({ id, ...row })
      return (await insert.onConflictDoNothing({ target: offers.id }).returning(ID)).length
    },
    async remove (client, id, versions) {
      return (await client.delete(offers).where(isRow(id, versions)).returning(ID)).length
    },
    faultOf: sqlStateFault
  })
}
