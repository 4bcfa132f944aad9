import type { Generated } from 'kysely'

export interface OrdersTable {
  id: Generated<number>
  customer: string
  note: string | null
  /** A bigint is a text with pg, with all of its digits. */
  row_version: Generated<string>
}

export interface LinesTable { order_id: number, position: number, sku: string, quantity: number }

export interface Schema { orders: OrdersTable, lines: LinesTable }
