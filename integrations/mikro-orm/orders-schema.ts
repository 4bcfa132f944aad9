import { EntitySchema, PrimaryKeyProp, type Collection, type Opt } from '@mikro-orm/postgresql'
import type { Line, Order } from '../order.js'

export interface OrderEntity extends Omit<Order, 'lines'> {
  id: Opt<number>
  rowVersion: Opt<bigint>
  lines: Collection<LineEntity>
}

export interface LineEntity extends Line {
  order: OrderEntity
  position: number
  [PrimaryKeyProp]?: ['order', 'position']
}

export const Orders = new EntitySchema<OrderEntity>({
  name: 'Orders',
  properties: {
    id: { type: 'integer', primary: true },
    customer: { type: 'text' },
    note: { type: 'text', nullable: true },
    // Not `version: true`: a trigger moves it.
    rowVersion: { type: 'bigint', defaultRaw: "nextval('row_versions')", trackChanges: false },
    lines: { kind: '1:m', entity: 'Lines', mappedBy: 'order', orphanRemoval: true, orderBy: { position: 'asc' } }
  }
})

export const Lines = new EntitySchema<LineEntity>({
  name: 'Lines',
  properties: {
    order: { kind: 'm:1', entity: 'Orders', primary: true, deleteRule: 'cascade' },
    position: { type: 'integer', primary: true },
    sku: { type: 'text' },
    quantity: { type: 'integer' }
  }
})
