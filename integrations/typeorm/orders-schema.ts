import { EntitySchema } from 'typeorm'
import type { Line, Order } from '../order.js'

export interface OrderRow extends Omit<Order, 'lines'> { id: number, rowVersion: string, lines: LineRow[] }
export interface LineRow extends Line { orderId: number, position: number, order?: OrderRow }

export const Orders = new EntitySchema<OrderRow>({
  name: 'orders',
  columns: {
    id: { type: 'integer', primary: true, generated: true },
    customer: { type: 'text' },
    note: { type: 'text', nullable: true },
    // A trigger moves it: TypeORM must never write it. A bigint is a text with pg, with all of its digits.
    rowVersion: { name: 'row_version', type: 'bigint', insert: false, update: false }
  },
  relations: { lines: { type: 'one-to-many', target: 'lines', inverseSide: 'order', cascade: true } }
})

export const Lines = new EntitySchema<LineRow>({
  name: 'lines',
  columns: {
    orderId: { name: 'order_id', type: 'integer', primary: true },
    position: { type: 'integer', primary: true },
    sku: { type: 'text' },
    quantity: { type: 'integer' }
  },
  relations: {
    order: {
      type: 'many-to-one',
      target: 'orders',
      inverseSide: 'lines',
      joinColumn: { name: 'order_id' },
      onDelete: 'CASCADE',
      orphanedRowAction: 'delete'
    }
  }
})
