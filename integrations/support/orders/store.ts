import type { Test } from 'tap'
import type { Mend } from 'fastify-if-match/conformance'

/** An empty database with `orders` and `lines`, gone when the test ends. */
export interface OrdersStore {
  /** Where a client finds it. */
  address: string
  /** Another process: runs SQL past every client. */
  act: (sql: string) => Promise<unknown>
  rows: (sql: string) => Promise<object[]>
  /** Takes the database away from all clients. A file cannot be taken: there the client loses it. */
  cut?: () => Promise<Mend>
}

export interface StoreOptions {
  /** Without them nothing moves the version of an order. */
  triggers?: boolean
}

export type NewStore = (t: Test, options?: StoreOptions) => Promise<OrdersStore>

/** The tables of a script. The triggers of it come last. */
export function tablesOf (script: string, { triggers = true }: StoreOptions = {}): string {
  return triggers ? script : script.replace(/CREATE (FUNCTION|TRIGGER)[^]*/, '')
}
