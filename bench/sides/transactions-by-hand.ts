import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { StaleError } from './client-errors.js'
import { LOCK, newPool, READ, save, VERSION } from './offer-tables.js'
import type { OfferRoute } from './side.js'

/** The transaction as one writes it by hand: lock, compare, write, read the new version, commit. */
export async function transactionsByHand (url: string): Promise<FastifyInstance> {
  const pool = await newPool(url)
  const app = Fastify()
  app.addHook('onClose', async () => { await pool.end() })
  app.get<OfferRoute>('/offers/:id', async (request, reply) => {
    const { rows: [row] } = await pool.query<{ version: string, body: string }>(READ, [request.params.id])
    return reply.header('etag', `"${row!.version}"`).send(JSON.parse(row!.body))
  })
  const put = async (request: FastifyRequest<OfferRoute>, reply: FastifyReply): Promise<FastifyReply> => {
    const { id } = request.params
    const tx = await pool.connect()
    try {
      await tx.query('BEGIN')
      const { rows: [row] } = await tx.query<{ row_version: string }>(LOCK, [id])
      const tag = request.headers['if-match']
      if (tag !== '*' && tag !== `"${row?.row_version}"`) throw new StaleError()
      await save(tx, id, request.body)
      const { rows: [after] } = await tx.query<{ row_version: string }>(VERSION, [id])
      await tx.query('COMMIT')
      return reply.header('etag', `"${after!.row_version}"`).send(request.body)
    } catch (error) {
      await tx.query('ROLLBACK')
      throw error
    } finally {
      tx.release()
    }
  }
  app.put('/offers/:id', put)
  app.put('/transactions/:id', put)
  return app
}
