import type { Mend } from 'fastify-if-match/conformance'
import type { TransactionAdapter } from 'fastify-if-match/storage'
import type { Line, Order } from '../../order.js'

/** What a client brings: its adapter, and two statements inside a transaction, as its users' handlers have them. */
export interface OrdersClient {
  adapter: TransactionAdapter<Order>
  /** Changes the row of the order alone. */
  rename: (tx: any, id: number, customer: string) => Promise<unknown>
  /** Adds a row of `lines`, and leaves the order alone. */
  addLine: (tx: any, id: number, position: number, line: Line) => Promise<unknown>
  /** Waits for the end of an outage, where a pool hands an error of the outage to an operation that comes after it. */
  recovered?: () => Promise<unknown>
  /** Loses the file, on SQLite: `lossyHandle` does so for better-sqlite3. */
  cut?: () => Promise<Mend>
  close: () => unknown
}

/** `connect.ts` of a client. The address is that of a PostgreSQL or MariaDB, or the path of a file of SQLite. */
export interface ConnectModule { connect: (address: string) => OrdersClient | Promise<OrdersClient> }

/** A client that is tried. */
export interface Subject {
  /** What it is called in titles. */
  name: string
  /** Its `connect.ts`, where it is compiled to. */
  module: URL
  /** `false`: it does not survive an outage, or takes too long; the suite has none. Default: `true`. */
  faults?: boolean | undefined
}

/** Imports and connects a client. A module is passed by its address, for a server in another process takes it too. */
export async function connectTo ({ module }: Pick<Subject, 'module'>, address: string): Promise<OrdersClient> {
  const { connect } = await import(module.href) as ConnectModule
  return await connect(address)
}
