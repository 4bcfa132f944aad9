import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Found } from 'fastify-if-match'

interface Offer { title: string, owner: string }

export function addOffers (app: FastifyInstance): void {
  const config = { ifMatch: { precheck: false } }

  app.get('/offers/:id', { config }, async (request) => (await ownOffer(request)).value)

  app.put<{ Body: { title: string } }>('/offers/:id', { config }, async (request) => {
    const { value: { owner } } = await ownOffer(request)
    return (await request.entity<Offer>().replace({ ...request.body, owner })).value
  })
}

/** The offer, if it belongs to the user. What is absent is told to strangers as what is not theirs. */
async function ownOffer (request: FastifyRequest): Promise<Found<Offer>> {
  const found = await request.entity<Offer>().read().catch((error: { statusCode?: number }) => {
    if (error.statusCode !== 404) throw error
  })
  if (found && found.value.owner === request.headers['x-user']) return found
  throw Object.assign(new Error('This is no offer of yours.'), { statusCode: 403 })
}
