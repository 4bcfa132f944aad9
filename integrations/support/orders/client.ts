import type { TransactionAdapter } from 'fastify-if-match/storage'
import type { Line, Order } from '../../order.js'

/** What a client brings: its adapter, and two statements inside a transaction, as its users' handlers have them. */
export interface OrdersClient {
  adapter: TransactionAdapter<Order>
  /** Changes the row of the order alone. */
  rename: (tx: any, id: number, customer: string) => Promise<unknown>
  /** Adds a row of `lines`, and leaves the order alone. */
  addLine: (tx: any, id: number, position: number, line: Line) => Promise<unknown>
  close: () => unknown
}

/** `connect.ts` of a client. The address is that of a PostgreSQL, or the path of a file of SQLite. */
export interface ConnectModule { connect: (address: string) => OrdersClient | Promise<OrdersClient> }

/** The module of a client, where it is compiled to, and what it is called in titles. */
export interface Subject { name: string, module: URL }

/** Imports and connects a client. A module is passed by its address, for a server in another process takes it too. */
export async function connectTo ({ module }: Pick<Subject, 'module'>, address: string): Promise<OrdersClient> {
  const { connect } = await import(module.href) as ConnectModule
  return await connect(address)
}
