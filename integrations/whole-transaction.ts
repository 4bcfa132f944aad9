/**
 * The transaction of an ORM on MySQL or MariaDB, as one that is stored whole or not at all. A deadlock, whose error the
 * work may have caught, takes back what came before it, and then the server commits each further statement by itself.
 * Without autocommit it does not, and the savepoint tells: `RELEASE` is an error if a deadlock, or a statement that
 * commits, has ended the transaction.
 *
 * @param send sends SQL inside of the transaction
 */
export function wholeTransaction<Tx> (
  transaction: (work: (tx: Tx) => Promise<unknown>) => Promise<unknown>,
  send: (tx: Tx, sql: string) => Promise<unknown>
): (work: (tx: Tx) => Promise<unknown>) => Promise<unknown> {
  return async (work) => await transaction(async (tx) => {
    const end = async (sql: 'COMMIT' | 'ROLLBACK'): Promise<void> => {
      await send(tx, sql)
      await send(tx, 'SET autocommit = 1') // which commits: never without an end before it
    }
    await send(tx, 'SET autocommit = 0')
    try {
      await send(tx, 'SAVEPOINT whole')
      const result = await work(tx)
      await send(tx, 'RELEASE SAVEPOINT whole')
      await end('COMMIT')
      return result
    } catch (error) {
      // A connection without autocommit must not go back to the pool.
      await end('ROLLBACK').catch(async () => await send(tx, 'KILL CONNECTION_ID()').catch(() => {}))
      throw error
    }
  })
}
