import Fastify from 'fastify'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'

interface Offer { title: string, price: number }

const app = Fastify()
await app.register(ifMatch, {
  storage: memoryAdapter(),
  variant: (request, reply) => String(reply.getHeader('content-type')).startsWith('text/csv') ? 'csv' : undefined
})

const config = { ifMatch: true }

app.get('/offers/:id', { config }, async (request, reply) => {
  const { value } = await request.entity<Offer>().read()
  reply.header('vary', 'accept')
  if (request.headers.accept !== 'text/csv') return value                    // ETag: "abc"
  return reply.type('text/csv').send(`title,price\n${value.title},${value.price}\n`)   // ETag: "abc;csv"
})
app.put<{ Body: Offer }>('/offers/:id', { config }, async (request) =>       // If-Match: "abc" or "abc;csv"
  (await request.entity<Offer>().replace(request.body)).value)

export { app }
