import type Database from 'better-sqlite3'
import type { FastifyInstance } from 'fastify'

interface Offer { title: string, price: number, owner: string }

interface Patch { Params: { id: string }, Body: { title?: string, price?: number } }

export function addPatchInSql (app: FastifyInstance): void {
  app.patch<Patch>('/offers/:id', { config: { ifMatch: true } }, async (request) => {
    const { params: { id }, body: { title, price } } = request
    const update = 'UPDATE offers SET title = coalesce(?, title), price = coalesce(?, price) WHERE id = ?'
    return (await request.entity<Offer>().transaction(async (tx: Database.Database, current) => {
      tx.prepare(update).run(title, price, id)
      return await current.value()
    })).value
  })
}
