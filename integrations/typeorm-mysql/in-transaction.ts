import type { DataSource, EntityManager } from 'typeorm'
import { wholeTransaction } from '../whole-transaction.js'

export const inTransaction = (
  dataSource: DataSource
): (work: (tx: EntityManager) => Promise<unknown>) => Promise<unknown> =>
  wholeTransaction(
    async (work) => await dataSource.transaction('READ COMMITTED', work),
    async (tx: EntityManager, text) => await tx.query(text)
  )
