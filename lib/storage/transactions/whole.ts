import { assertStillInside, SAVEPOINT } from './still-inside.js'

// Whatever ends the transaction from here on, but with NO RELEASE, has the server close the connection behind it
// (engine-facts#mariadb-completion-type).
const BEGIN = "SET autocommit = 0, completion_type = 'RELEASE'"
// It commits what is open: never without an end before it.
const IDLE = "SET autocommit = 1, completion_type = 'NO_CHAIN'"

/**
 * The option `transaction` of `transactionsAdapter` for the transactions of an ORM on MySQL or MariaDB: all of a work
 * is stored, or nothing. The transactions of Drizzle, Kysely, Knex, TypeORM and Prisma need it: after a deadlock, whose
 * error the work may have caught, the server would commit each further statement by itself
 * (engine-facts#mariadb-rolled-back-goes-on). Those of Sequelize, and `mysqlTransaction`, do without.
 *
 * Inside of the ORM's transaction it turns autocommit off, and sets a savepoint that tells of such a deadlock, and of a
 * statement that commits, such as ALTER. It sends the COMMIT or the ROLLBACK itself, so that of the ORM has nothing to
 * end, and `transaction` must do nothing behind the work. A connection that it could not set back, for example because
 * the ORM gave up on a work that runs too long, is closed by the server, and serves nobody else.
 *
 * @param transaction the ORM's function, which begins a transaction, runs a work in it, and commits or rolls back
 * @param send sends SQL inside of the transaction, without parameters; what it gives is not looked at
 * @returns a function that rejects with the error of the work; with that of COMMIT, so that a lost answer to it is
 * FST_IF_MATCH_OUTCOME_UNKNOWN; with FST_IF_MATCH_STORAGE_FAULT if the transaction had ended before its COMMIT
 * @example
 * const transaction = wholeTransaction<Tx>(
 *   (work) => db.transaction(work, { isolationLevel: 'read committed' }),
 *   (tx, text) => tx.execute(sql.raw(text))
 * )
 * transactionsAdapter({ client: db, transaction, ... })
 */
export function wholeTransaction<Tx> (
  transaction: (work: (tx: Tx) => Promise<unknown>) => Promise<unknown>,
  send: (tx: Tx, sql: string) => PromiseLike<unknown>
): (work: (tx: Tx) => Promise<unknown>) => Promise<unknown> {
  return async (work) => {
    // How it ended, whatever the ORM makes of that: a ROLLBACK that fails hides the error before it, and a COMMIT that
    // fails had nothing to commit.
    let end: { result: unknown } | { error: unknown } | undefined

    async function whole (tx: Tx): Promise<void> {
      const tell = async (sql: string): Promise<unknown> => await send(tx, sql)
      end = undefined
      await tell(BEGIN)
      try {
        await tell(SAVEPOINT)
        const result = await work(tx)
        await assertStillInside(tell)
        await tell('COMMIT NO RELEASE')
        end = { result }
      } catch (error) {
        end = { error }
        await tell('ROLLBACK NO RELEASE').then(() => tell(IDLE)).catch(() => {})
        throw error
      }
      await tell(IDLE).catch(() => {})
    }

    try {
      await transaction(whole)
    } catch (error) {
      if (end === undefined) throw error
    }
    const known = end as typeof end
    if (known !== undefined && 'error' in known) throw known.error
    return known?.result
  }
}
