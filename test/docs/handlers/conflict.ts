import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isRefusalError, problemDetails } from 'fastify-if-match'

interface Offer { title: string, price: number, cost: number, owner: string }

/** What the GET shows: the cost is for nobody but the owner. */
function shownTo (user: unknown, { cost, ...offer }: Offer): Partial<Offer> {
  return user === offer.owner ? { ...offer, cost } : offer
}

const userOf = ({ headers }: Pick<FastifyRequest, 'headers'>): unknown => headers['x-user']

export function addConflicts (app: FastifyInstance): void {
  const config = {
    ifMatch: {
      // `Prefer: return=representation` gets it with the 412: a user as the GET shows it, a stranger not at all.
      representation: ({ value }: { value: Offer }, request: Pick<FastifyRequest, 'headers'>) =>
        userOf(request) !== undefined && shownTo(userOf(request), value)
    }
  }

  app.get('/offers/:id', { config }, async (request) =>
    shownTo(userOf(request), (await request.entity<Offer>().read()).value))

  app.put<{ Body: Offer }>('/offers/:id', { config }, async (request) =>
    shownTo(userOf(request), (await request.entity<Offer>().replace(request.body)).value))

  // In a body of your own: who has changed it meanwhile, beside the problem details.
  app.setErrorHandler(async (error, request, reply) => {
    const problem = problemDetails(error, { instance: request.url })
    const isMismatch = isRefusalError(error) && error.reason === 'mismatch' && userOf(request) !== undefined
    const owner = isMismatch ? (await error.current?.read<Offer>())?.value.owner : undefined
    return await reply.code(problem.status).type('application/problem+json').send({ ...problem, owner })
  })
}
