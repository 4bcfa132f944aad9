// Compiled, not run, and in a program of its own: what it declares holds for all of a program.
import Fastify from 'fastify'
import ifMatch, { type Entity, type EntityDecorator } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'

interface Offer { title: string }
interface Order { number: string }

// The option `decorator`, for the compiler.
declare module 'fastify-if-match' {
  interface IfMatchTypes { decorator: 'guarded' }
}

// The app's own decorator, whose name the plugin would take otherwise.
declare module 'fastify' {
  interface FastifyRequest { entity: Order }
}

const app = Fastify()
void app.register(ifMatch, { storage: memoryAdapter(), decorator: 'guarded' })
app.put<{ Body: Offer }>('/offers/:id', { config: { ifMatch: true } }, async (request) => {
  const order: Order = request.entity
  const entity: Entity<Offer> = request.guarded<Offer>()
  const same: EntityDecorator = request.guarded
  await request.guarded<Offer>('/offers/2', { client: 'mine' }).replace(request.body)
  // @ts-expect-error the name is the app's
  request.entity()
  // @ts-expect-error no such name
  request.other()
  // @ts-expect-error a key is a string
  request.guarded(1)
  return { order, saved: await entity.replace(request.body), same }
})
