import Fastify from 'fastify'
import { Type, type Static, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'

const Offer = Type.Object({ title: Type.String(), price: Type.Number() })
type Offer = Static<typeof Offer>
const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
await app.register(ifMatch, { storage: memoryAdapter() })

const config = { ifMatch: true }                          // the path names the entity; `key` names another

app.get('/offers/:id', { config }, async (request) =>
  (await request.entity<Offer>().read()).value)           // ETag, 304 and 404 are done for you
app.put('/offers/:id', { config, schema: { body: Offer } }, async (request, reply) => {
  const saved = await request.entity<Offer>().replace(request.body)   // compare and write: one atomic step, or 412
  return reply.code(saved.created ? 201 : 200).send(saved.value)
})
app.patch('/offers/:id', { config, schema: { body: Type.Partial(Offer) } }, async (request) =>
  (await request.entity<Offer>().update((offer) => ({ ...offer, ...request.body }))).value)
app.delete('/offers/:id', { config }, async (request, reply) => {
  await request.entity().remove()
  return reply.code(204).send()
})

export { app }
