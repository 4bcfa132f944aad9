import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import type { Offer } from '../../docs/write-an-adapter/offer.js'

/** Called around every statement that the adapter sends, and awaited. What a hook throws, the statement throws. */
export interface Hooks { before: (sql: string) => unknown, after: (sql: string) => unknown }

/** An adapter over a table of offers, and the table as another process sees it. */
export interface OffersTable {
  adapter: StorageAdapter<Offer>
  hooks: Hooks
  /** Runs SQL past the adapter. */
  act: (sql: string) => Promise<unknown>
  /** The rows of a query past the adapter. */
  rows: (sql: string) => Promise<unknown[]>
}

/** Makes an empty table, which is gone when the test ends. */
export type OpenTable = (t: Test) => Promise<OffersTable>

export const KEY = '/offers/wave'

export const wave: Offer = { title: 'Wave', price: 1900, published: false }

export function noHooks (): Hooks {
  return { before: () => {}, after: () => {} }
}

/** Whether a statement is an INSERT, an UPDATE, a DELETE or a SELECT. */
export function verbOf (sql: string): string {
  return /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? ''
}

/** Creates the offer, and returns its version. */
export async function create (adapter: StorageAdapter<Offer>, key = KEY, value: Offer = wave): Promise<string> {
  const result = await adapter.write(key, value, { kind: 'absent' })
  if (!result.applied) throw new Error(`${key} is there already`)
  return result.version
}
