import { StorageUnavailableError } from '../../errors.js'
import type { Flaw } from '../kit/flaws.js'
import { flawsOfContext, isInsideTransaction, isLeftInTransaction, isPgPool, type PgPool } from '../postgres/client.js'
import { JoinedTransactionError } from '../postgres/faults.js'
import { overIdleConnection } from '../postgres/pool.js'

/** Sends a statement over the client of the adapter. */
export type OwnClient<Client> = <R>(statement: (client: Client) => R | Promise<R>) => Promise<R>

/**
 * The client of the adapter, for statements that stand for themselves. Where the client tells that somebody left a
 * transaction open on it, nothing is sent: what runs there is acknowledged, and is gone when that transaction ends
 * (engine-facts#pg-pool-open-transaction).
 */
export function ownClientOf<Client> (client: Client): OwnClient<Client> {
  if (isPgPool(client)) {
    const idle = overIdleConnections(client) as Client
    return async (statement) => await statement(idle)
  }
  const driver = driverOf(client)
  return async (statement) => {
    if (isInOpenTransaction(driver) === true || await isLeftInTransaction(driver)) {
      throw new StorageUnavailableError({
        cause: new Error(
          'The client is inside a transaction of the app. End it, or pass { client } as the context of the entity.'
        )
      })
    }
    const result = await statement(client)
    // A BEGIN that nobody awaited was on its way already.
    if (await isLeftInTransaction(driver)) throw new JoinedTransactionError()
    return result
  }
}

/**
 * Whether a client is a handle of SQLite, or an ORM that shows one: all that uses it shares its transaction. Kysely
 * tells as well whether it is in a transaction, and may have a pool (engine-facts#kysely-is-transaction).
 */
export function isHandle (client: unknown): boolean {
  const driver = driverOf(client)
  const { prepare } = Object(driver) as { prepare?: unknown }
  return typeof prepare === 'function' && typeof isInOpenTransaction(driver) === 'boolean'
}

/** The client of the driver: Drizzle has it under the name `$client`. */
export function driverOf (client: unknown): unknown {
  const { $client: driver = client } = Object(client) as { $client?: unknown }
  return driver
}

// A pool of pg whose `query` takes idle connections alone.
function overIdleConnections (pool: PgPool): PgPool {
  async function query (...args: unknown[]): Promise<unknown> {
    return await overIdleConnection(pool, async (connection) => {
      const answer = await (connection as { query (...args: unknown[]): Promise<unknown> }).query(...args)
      if (isInsideTransaction(connection)) throw new JoinedTransactionError()
      return answer
    })
  }
  return new Proxy(pool, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      const bound = member.bind(target) as (...args: unknown[]) => unknown
      if (name !== 'query') return bound
      return (...args: unknown[]) => typeof args.at(-1) === 'function' ? bound(...args) : query(...args)
    }
  })
}

/** What is wrong with a client of a context, which must be in a transaction, as far as it can be told. */
export function flawsOfClient (client: unknown): Flaw[] {
  return [
    [
      client === undefined || client === null || isInOpenTransaction(client) === false,
      '"context" must be { client }, with a client that is in a transaction.'
    ],
    ...flawsOfContext(client)
  ]
}

// The handles of better-sqlite3 and libsql, and that of node:sqlite. Undefined: it does not tell.
function isInOpenTransaction (client: unknown): unknown {
  const { isTransaction, inTransaction = isTransaction } =
    Object(client) as { inTransaction?: unknown, isTransaction?: unknown }
  return inTransaction
}
