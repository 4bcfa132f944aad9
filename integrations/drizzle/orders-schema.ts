import { relations, sql } from 'drizzle-orm'
import { bigint, integer, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'

export const orders = pgTable('orders', {
  id: integer().primaryKey().generatedByDefaultAsIdentity(),
  customer: text().notNull(),
  note: text(),
  // In the mode `number` a version beyond 2 ** 53 would be rounded to that of another state.
  rowVersion: bigint('row_version', { mode: 'bigint' }).notNull().default(sql`nextval('row_versions')`)
})

export const lines = pgTable('lines', {
  orderId: integer('order_id').notNull().references(() => orders.id, { onDelete: 'cascade' }),
  position: integer().notNull(),
  sku: text().notNull(),
  quantity: integer().notNull()
}, (line) => [primaryKey({ columns: [line.orderId, line.position] }), unique().on(line.orderId, line.sku)])

export const ordersRelations = relations(orders, ({ many }) => ({ lines: many(lines) }))
export const linesRelations = relations(lines, ({ one }) => ({
  order: one(orders, { fields: [lines.orderId], references: [orders.id] })
}))
