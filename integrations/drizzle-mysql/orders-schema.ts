import { sql } from 'drizzle-orm'
import { char, int, longtext, mysqlTable, primaryKey, text, unique, varchar } from 'drizzle-orm/mysql-core'

export const orders = mysqlTable('orders', {
  id: int().primaryKey().autoincrement(),
  customer: longtext().notNull(),
  note: text(),
  rowVersion: char('row_version', { length: 36 }).notNull().default(sql`(uuid())`)
})

export const lines = mysqlTable('lines', {
  orderId: int('order_id').notNull().references(() => orders.id, { onDelete: 'cascade' }),
  position: int().notNull(),
  sku: varchar({ length: 100 }).notNull(),
  quantity: int().notNull()
}, (line) => [primaryKey({ columns: [line.orderId, line.position] }), unique().on(line.orderId, line.sku)])
