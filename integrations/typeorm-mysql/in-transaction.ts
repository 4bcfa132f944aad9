import type { DataSource, EntityManager } from 'typeorm'
import { wholeTransaction } from 'fastify-if-match/storage/transactions'

export const inTransaction = (
  dataSource: DataSource
): (work: (tx: EntityManager) => Promise<unknown>) => Promise<unknown> =>
  wholeTransaction(
    async (work) => await dataSource.transaction('READ COMMITTED', work),
    async (tx: EntityManager, text) => await tx.query(text)
  )
