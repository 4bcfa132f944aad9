import type { Test } from 'tap'
import type { OffersTable } from '../../test/support/table/table.js'

/** Writes a row of the app's own, in the transaction. */
type Note = (text: string) => Promise<unknown>

/** An adapter over a model of an ORM, or the table of a query builder. */
export interface ClientTable extends OffersTable {
  /** Runs in a transaction of the client. What `run` throws rolls it back. */
  transaction: <R>(run: (client: unknown, note: Note) => Promise<R>) => Promise<R>
}

/** Makes an empty table of offers, and one of notes; both are gone when the test ends. */
export type OpenClientTable = (t: Test) => Promise<ClientTable>

/** The table that the app writes to besides: what `note` writes. */
export const NOTES = 'CREATE TABLE notes (note text NOT NULL)'
