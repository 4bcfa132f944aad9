import type { FastifyInstance, FastifyRequest } from 'fastify'

interface Offer { title: string, price: number }

/** Whose request it is, as the hook of the app knows that checks the tokens. */
const caller = ({ headers }: FastifyRequest): string => String(headers['x-user'])

export function addOffers (app: FastifyInstance, tell: (news: string) => Promise<void>): void {
  const config = { ifMatch: { key: '/offers/:id', resend: { caller } } }

  app.put<{ Body: Offer }>('/offers/:id', { config }, async (request, reply) => {
    const offer = request.entity<Offer>()
    const { value, created } = await offer.replace(request.body)
    if (!offer.isRepeated) await tell(`${value.title} costs ${value.price}.`)
    return await reply.code(created ? 201 : 200).send(value)
  })

  // The body says nothing of what is meant: two clicks look like one that was sent again, unless they have keys.
  app.post('/offers/:id/raise', { config }, async (request) =>
    (await request.entity<Offer>().update((offer) => ({ ...offer, price: offer.price + 1 }))).value)
}
