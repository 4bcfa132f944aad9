import createError from '@fastify/error'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import pg from 'pg'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { pgTransaction, transactionsAdapter } from 'fastify-if-match/storage/transactions'

interface OfferRoute { Params: { id: string }, Body: Record<string, unknown> }

const SCHEMA = `
  DROP TABLE IF EXISTS bench_parts, bench_offers;
  CREATE TABLE bench_offers (id text PRIMARY KEY, body text NOT NULL, row_version bigint NOT NULL DEFAULT 1);
  CREATE TABLE bench_parts (offer text NOT NULL REFERENCES bench_offers, name text NOT NULL, PRIMARY KEY (offer, name))`

const READ = 'SELECT row_version AS version, body FROM bench_offers WHERE id = $1'
const LOCK = 'SELECT row_version FROM bench_offers WHERE id = $1'

async function newPool (url: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(SCHEMA)
  return pool
}

/** What both sides do inside their transaction: an offer in two tables. */
async function save (tx: pg.PoolClient, id: string, body: object): Promise<void> {
  await tx.query(
    'INSERT INTO bench_offers (id, body) VALUES ($1, $2) ' +
      'ON CONFLICT (id) DO UPDATE SET body = excluded.body, row_version = bench_offers.row_version + 1',
    [id, JSON.stringify(body)]
  )
  await tx.query('DELETE FROM bench_parts WHERE offer = $1', [id])
  await tx.query('INSERT INTO bench_parts SELECT $1, unnest($2::text[])', [id, Object.keys(body)])
}

const StaleError = createError('STALE', 'The entity has changed.', 412, Error, false)

/** The transaction as one writes it by hand: lock, compare, write, read the new version, commit. */
export async function byHand (url: string): Promise<FastifyInstance> {
  const pool = await newPool(url)
  const app = Fastify()
  app.addHook('onClose', async () => { await pool.end() })
  app.get<OfferRoute>('/offers/:id', async (request, reply) => {
    const { rows: [row] } = await pool.query<{ version: string, body: string }>(READ, [request.params.id])
    return reply.header('etag', `"${row!.version}"`).send(JSON.parse(row!.body))
  })
  app.put<OfferRoute>('/offers/:id', async (request, reply) => {
    const { id } = request.params
    const tx = await pool.connect()
    try {
      await tx.query('BEGIN')
      const { rows: [row] } = await tx.query<{ row_version: string }>(`${LOCK} FOR UPDATE`, [id])
      const tag = request.headers['if-match']
      if (tag !== '*' && tag !== `"${row?.row_version}"`) throw new StaleError()
      await save(tx, id, request.body)
      const { rows: [after] } = await tx.query<{ row_version: string }>(LOCK, [id])
      await tx.query('COMMIT')
      return reply.header('etag', `"${after!.row_version}"`).send(request.body)
    } catch (error) {
      await tx.query('ROLLBACK')
      throw error
    } finally {
      tx.release()
    }
  })
  return app
}

/** The same statements as the work of `transaction`, with or without the comparison ahead of the handler. */
export async function byTransaction (url: string, precheck: boolean): Promise<FastifyInstance> {
  const pool = await newPool(url)
  const app = Fastify()
  app.addHook('onClose', async () => { await pool.end() })
  const storage: StorageAdapter = transactionsAdapter({
    client: pool,
    transaction: pgTransaction<pg.PoolClient>(pool),
    toId: (key) => key.slice('/offers/'.length),
    version: async (tx, id) => (await tx.query(`${LOCK} FOR UPDATE`, [id])).rows[0]?.row_version,
    async read (client, id) {
      const { rows: [row] } = await client.query(READ, [id])
      return row && { version: row.version, value: JSON.parse(row.body) }
    }
  })
  await app.register(ifMatch, { storage, create: 'wildcard', precheck })
  const config = { ifMatch: true }
  app.get<OfferRoute>('/offers/:id', { config }, async (request) => (await request.entity<object>().read()).value)
  app.put<OfferRoute>('/offers/:id', { config }, async (request: FastifyRequest<OfferRoute>) =>
    (await request.entity().transaction(async (tx: pg.PoolClient) => {
      await save(tx, request.params.id, request.body)
      return request.body
    })).value)
  return app
}
