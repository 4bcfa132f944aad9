import { assertNoFlaw } from '../kit/flaws.js'
import { flawsOfContext, isClient, type PostgresClient } from './client.js'
import { PostgresSession } from './session.js'
import { statementsOn, type QuotedTable } from './sql.js'
import { PostgresTable } from './table.js'

/** The table inside transactions of the app, over the clients that handlers bring as `context: { client }`. */
export class TransactionTables<T> {
  readonly #statements
  readonly #timeout: number
  // One for each client, so that its statements go one after the other, whichever request sends them.
  readonly #tables = new WeakMap<PostgresClient, PostgresTable<T>>()

  constructor (table: QuotedTable, timeout: number) {
    // A bound on locks would outlive the statement here, so it is the app's to set.
    this.#statements = statementsOn(table, 0)
    this.#timeout = timeout
  }

  /** @throws FST_IF_MATCH_INVALID_OPTIONS for a context without a client that is in a transaction */
  tableOf (context: unknown): PostgresTable<T> {
    const client = clientOf(context)
    const known = this.#tables.get(client)
    if (known !== undefined) return known
    // Never prepared: a statement that is not found would end the transaction
    // (engine-facts#pgbouncer-prepared-statements).
    const session = new PostgresSession(client, { timeout: this.#timeout, prepared: false, isInTransaction: true })
    const table = new PostgresTable<T>(session, this.#statements, true)
    this.#tables.set(client, table)
    return table
  }
}

// A write outside of the transaction would stay when the transaction is rolled back.
function clientOf (context: unknown): PostgresClient {
  const { client } = Object(context) as { client: PostgresClient }
  assertNoFlaw('the entity', [
    ...flawsOfContext(client),
    [!isClient(client), '"context" must be { client }, with a client that is in a transaction.']
  ])
  return client
}
