import { Type, type Static } from '@sinclair/typebox'
import Database from 'better-sqlite3'
import Fastify from 'fastify'
import ifMatch from 'fastify-if-match'
import { tableAdapter } from 'fastify-if-match/storage/table'

export const database = new Database(process.env['DATABASE'] ?? ':memory:')

const Order = Type.Object({
  id: Type.Integer(),                                     // the id of the row: shown, and never written
  customer: Type.String({ maxLength: 100 }),
  note: Type.Optional(Type.String()),                     // NULL where there is none
  total: Type.Integer({ readOnly: true })                 // a trigger of order_lines makes it
})

export const orders = tableAdapter({
  client: database,                                       // or a Pool of pg, mysql2 or mariadb
  table: 'orders',
  id: 'id',
  version: 'row_version',
  replaced: 'replaced',                                   // see below
  digest: 'digest',
  columns: Order
})

export const app = Fastify()
await app.register(ifMatch, { storage: orders })

const config = { ifMatch: { create: false } } as const

app.get('/orders/:id', { config }, async (request) => (await request.entity<Static<typeof Order>>().read()).value)

app.put('/orders/:id', { config, schema: { body: Type.Partial(Order) } }, async (request) =>
  (await request.entity().replace(request.body)).value)
