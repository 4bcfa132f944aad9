import type { Knex } from 'knex'
import { wholeTransaction } from 'fastify-if-match/storage/transactions'

export const inTransaction = (db: Knex): (work: (tx: Knex.Transaction) => Promise<unknown>) => Promise<unknown> =>
  wholeTransaction(
    async (work) => await db.transaction(work, { isolationLevel: 'read committed' }),
    async (tx: Knex.Transaction, text) => await tx.raw(text)
  )
