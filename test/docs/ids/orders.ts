import type Database from 'better-sqlite3'
import type { FastifyInstance } from 'fastify'
import { formatEntityTag, keyPattern, wholeNumber } from 'fastify-if-match'

export const order = keyPattern('/orders/:id', { id: wholeNumber })

interface Row { id: number, title: string, version: string }

const body = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] }

export function addOrders (app: FastifyInstance, database: Database.Database): void {
  const insert = database.prepare<string, Row>('INSERT INTO orders (title) VALUES (?) RETURNING id, title, version')
  const select = database.prepare<[], Row>('SELECT id, title, version FROM orders ORDER BY id')

  // There is no entity yet, and so no precondition: `false` exempts the route where `global` guards the others.
  const config = { ifMatch: false } as const
  app.post<{ Body: { title: string } }>('/orders', { config, schema: { body } }, async ({ body }, reply) => {
    const { version, ...created } = insert.get(body.title)!
    reply.code(201).header('location', order.format(created)).header('etag', formatEntityTag(version))
    return created
  })

  app.get('/orders', async () => ({
    items: select.all().map(({ version, ...order }) => ({ ...order, etag: formatEntityTag(version) }))
  }))

  app.put<{ Body: { title: string } }>('/orders/:id', { config: { ifMatch: { create: false } }, schema: { body } },
    async (request) => (await request.entity().replace(request.body)).value)
}
