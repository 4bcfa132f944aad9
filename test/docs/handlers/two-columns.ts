import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'

interface Offer { title: string, price: number, owner: string }

const Patch = Type.Partial(Type.Object({ title: Type.String(), price: Type.Number() }), { additionalProperties: false })

export function addPatch (app: FastifyInstance): void {
  app.withTypeProvider<TypeBoxTypeProvider>().patch('/offers/:id', {
    config: { ifMatch: true },
    schema: { body: Patch }
  }, async (request) => {
    const patch = request.body
    return (await request.entity<Offer>().update((current) => ({ ...current, ...patch }))).value
  })
}
