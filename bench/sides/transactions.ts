import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type pg from 'pg'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { pgTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'
import { LOCK, newPool, READ, save } from './offer-tables.js'
import type { OfferRoute } from './side.js'

/** The same statements as the work of `transaction`, with or without the comparison ahead of the handler. */
export async function transactionsApp (url: string, precheck: boolean): Promise<FastifyInstance> {
  const pool = await newPool(url)
  const app = Fastify()
  app.addHook('onClose', async () => { await pool.end() })
  const storage: StorageAdapter = transactionsAdapter({
    client: pool,
    transaction: pgTransaction<pg.PoolClient>(pool),
    toId: (key) => key.slice('/offers/'.length),
    version: async (tx, id) => (await tx.query(LOCK, [id])).rows[0]?.row_version,
    async read (client, id) {
      const { rows: [row] } = await client.query(READ, [id])
      return row && { version: row.version, value: JSON.parse(row.body) }
    }
  })
  await app.register(ifMatch, { storage, create: 'wildcard', precheck, key: '/offers/:id' })
  const config = { ifMatch: true }
  app.get<OfferRoute>('/offers/:id', { config }, async (request) => (await request.entity<object>().read()).value)
  const put = async (request: FastifyRequest<OfferRoute>): Promise<object> =>
    (await request.entity().transaction(async (tx: pg.PoolClient) => {
      await save(tx, request.params.id, request.body)
      return request.body
    })).value
  app.put('/offers/:id', { config }, put)
  app.put('/transactions/:id', { config }, put)
  return app
}
