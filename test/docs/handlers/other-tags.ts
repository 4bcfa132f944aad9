import type { FastifyInstance } from 'fastify'

interface Offer { title: string, price: number }

export function addOtherTags (app: FastifyInstance): void {
  // The tag is in another header. Hooks may set If-Match, and the request is judged by what they set.
  app.delete('/offers/:id', {
    config: { ifMatch: true },
    onRequest: async ({ headers }) => { headers['if-match'] ??= headers['x-offer-version'] as string | undefined }
  }, async (request, reply) => {
    await request.entity().remove()
    return await reply.code(204).send()
  })

  // The tag is in the body, which a preValidation hook is the first to see.
  app.put<{ Body: { etag?: string, offer: Offer } }>('/offers/:id', {
    config: { ifMatch: true },
    preValidation: async ({ headers, body }) => { headers['if-match'] ??= body?.etag }
  }, async (request) => await request.entity<Offer>().replace(request.body.offer))

  // The tag is in the body, and the route has a rule or an answer of its own: compare where the write is bound to it.
  app.post<{ Body: { basedOn: string, price: number } }>('/offers/:id/price', {
    config: { ifMatch: { key: '/offers/:id', missing: 'allow' } }
  }, async (request) => {
    const { basedOn, price } = request.body
    return await request.entity<Offer>().update((offer, { etag }) => {
      if (etag === basedOn || price === offer.price) return { ...offer, price }
      throw Object.assign(new Error(`The offer costs ${offer.price} by now.`), { statusCode: 409 })
    })
  })
}
