import { assertNoFlaw } from '../kit/flaws.js'
import { flawsOfClient, isPool, sourceOf, type MysqlClient } from './client.js'
import { MysqlSession, type Server } from './session.js'
import type { MysqlTableOptions } from './sql.js'
import { MysqlTable } from './table.js'

/** The table inside transactions of the app, over the clients that handlers bring as `context: { client }`. */
export class TransactionTables<T> {
  readonly #table: MysqlTableOptions
  readonly #timeout: number
  readonly #server: () => Promise<Server>
  // One for each client, so that its statements go one after the other, whichever request sends them.
  readonly #tables = new WeakMap<MysqlClient, MysqlTable<T>>()

  /** @param server tells of the server, which is the same for every client */
  constructor (table: MysqlTableOptions, timeout: number, server: () => Promise<Server>) {
    this.#table = table
    this.#timeout = timeout
    this.#server = server
  }

  /** @throws FST_IF_MATCH_INVALID_OPTIONS for a context without a client that can be in a transaction */
  tableOf (context: unknown): MysqlTable<T> {
    const client = clientOf(context)
    const known = this.#tables.get(client)
    if (known !== undefined) return known
    // A bound on locks would outlive the statement on MySQL, so it is the app's to set.
    const bounds = { timeout: this.#timeout, lockTimeout: 0 }
    const session = new MysqlSession(sourceOf(client), { ...bounds, isInTransaction: true, server: this.#server })
    const table = new MysqlTable<T>(session, this.#table, { ...bounds, onlyWhere: 'inside' })
    this.#tables.set(client, table)
    return table
  }
}

// A write outside of the transaction would stay when the transaction is rolled back.
function clientOf (context: unknown): MysqlClient {
  const { client } = Object(context) as { client: MysqlClient }
  assertNoFlaw('the entity', [
    [client === undefined, '"context" must be { client }, with a connection that is in a transaction.'],
    [
      isPool(client),
      'the client of "context" is a pool, whose statements share no transaction. ' +
        'Take a connection out of it with getConnection().'
    ],
    ...flawsOfClient(client, 'the client of "context"')
  ])
  return client
}
