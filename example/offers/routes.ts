import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { IfMatchRouteOptions, StorageAdapter } from 'fastify-if-match'
import { checkIdentity, nextDraft } from './draft.js'
import { OFFER_KEY } from './key.js'
import { canList, listOffers } from './list.js'
import type { OfferRecord } from './offer.js'
import { OfferDocumentSchema, OfferParamsSchema, PublisherParamsSchema } from './schemas.js'

// `*` creates too: it writes without any checks (CPP §4).
const config: { ifMatch: IfMatchRouteOptions } = { ifMatch: { key: OFFER_KEY, create: 'wildcard' } }

/**
 * The offers of a publisher. No response schemas: a serialiser made of one drops or converts what it does not list,
 * and clients PUT back what they GET.
 */
export const offers: FastifyPluginAsyncTypebox<{ storage: StorageAdapter }> = async (app, { storage }) => {
  if (!canList(storage)) throw new TypeError('The offers API needs a storage adapter with list().')

  app.get('/', { schema: { params: PublisherParamsSchema } }, async (request) =>
    await listOffers(storage, request.params.publisherId))

  app.get('/:offerId', { config, schema: { params: OfferParamsSchema } }, async (request) => {
    const { value } = await request.entity<OfferRecord>().read()
    return value.draft
  })

  app.put('/:offerId', {
    config,
    schema: { params: OfferParamsSchema, body: OfferDocumentSchema },
    // Ahead of the plugin's own preHandler: a wrong body ranks before a missing If-Match (CPP §10).
    preHandler: async (request) => { checkIdentity(request.body, request.params) }
  }, async (request, reply) => {
    const saved = await request.entity<OfferRecord>().replace((current) =>
      ({ ...current, draft: nextDraft(request.body, request.params, current?.draft) }))
    return reply.code(saved.created ? 201 : 200).send(saved.value.draft)
  })
}
