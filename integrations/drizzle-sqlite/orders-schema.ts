import { relations, sql } from 'drizzle-orm'
import { integer, primaryKey, sqliteTable, text, unique } from 'drizzle-orm/sqlite-core'

export const orders = sqliteTable('orders', {
  id: integer().primaryKey(),
  customer: text().notNull(),
  note: text(),
  rowVersion: text('row_version').notNull().default(sql`(lower(hex(randomblob(12))))`)
})

export const lines = sqliteTable('lines', {
  orderId: integer('order_id').notNull().references(() => orders.id, { onDelete: 'cascade' }),
  position: integer().notNull(),
  sku: text().notNull(),
  quantity: integer().notNull()
}, (line) => [primaryKey({ columns: [line.orderId, line.position] }), unique().on(line.orderId, line.sku)])

export const ordersRelations = relations(orders, ({ many }) => ({ lines: many(lines) }))
export const linesRelations = relations(lines, ({ one }) => ({
  order: one(orders, { fields: [lines.orderId], references: [orders.id] })
}))
