import etag from '@fastify/etag'
import Fastify from 'fastify'
import { serve } from '../../dist/bench/serve.js'

// A tag that is a hash of the answer: it needs no storage that knows versions, and the whole answer for each 304.
const app = Fastify()
const offers = new Map()
await app.register(etag)
app.get('/offers/:id', async (request) => offers.get(request.params.id))
app.put('/offers/:id', async (request) => {
  offers.set(request.params.id, request.body)
  return request.body
})
serve(await app.listen({ host: '127.0.0.1', port: 0 }), () => app.close())
