import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { IfMatchRouteOptions } from 'fastify-if-match'
import { errorResponses } from '../app/error-schema.js'
import { checkDocument, withDraft } from './draft.js'
import { offerTypeOf } from './filter.js'
import { OFFER_KEY } from './key.js'
import { offersOf, readOffer } from './read.js'
import { draftOf, publishedOf, slotNamed, slotOf, summaryOf } from './offer.js'
import type { OfferOptions } from './options.js'
import type { OfferRecord } from './record.js'
import {
  ListQuerySchema,
  OfferDocumentSchema,
  OfferParamsSchema,
  OfferSchema,
  OfferSummarySchema,
  PublisherParamsSchema,
  QuerySchema,
  SlotParamsSchema,
  VersionParamsSchema,
  type OfferSummary
} from './schemas.js'

// `*` creates too: it writes without any checks (CPP §4).
const config: { ifMatch: IfMatchRouteOptions } = { ifMatch: { key: OFFER_KEY, create: 'wildcard' } }

/** Offers as documents: lists, drafts, and what was published (CPP §3, routes 1 to 4 and 6). */
export const documents: FastifyPluginAsyncTypebox<OfferOptions> = async (app, { storage, clock }) => {
  app.get('/', {
    schema: {
      operationId: 'listOffers',
      summary: 'Retrieve offers',
      params: PublisherParamsSchema,
      querystring: ListQuerySchema,
      response: { 200: Type.Array(OfferSummarySchema), ...errorResponses }
    }
  }, async ({ params, query: { $filter } }) => {
    const type = $filter === undefined ? undefined : offerTypeOf($filter)
    const summaries: OfferSummary[] = []
    // The API knows no pages (CPP §2).
    for await (const offer of offersOf(storage, params.publisherId)) {
      if (type === undefined || offer.draft.content.offerTypeId === type) summaries.push(summaryOf(offer))
    }
    return summaries
  })

  app.get('/:offerId', {
    config,
    schema: {
      operationId: 'getOffer',
      summary: 'Retrieve a specific offer',
      params: OfferParamsSchema,
      querystring: QuerySchema,
      response: { 200: OfferSchema, ...errorResponses }
    }
  }, async (request) => draftOf((await request.entity<OfferRecord>().read()).value))

  app.put('/:offerId', {
    config,
    schema: {
      operationId: 'putOffer',
      summary: 'Create or modify an offer',
      params: OfferParamsSchema,
      querystring: QuerySchema,
      body: OfferDocumentSchema,
      response: { 200: OfferSchema, 201: OfferSchema, ...errorResponses }
    },
    // Ahead of the plugin's own preHandler: a wrong body ranks before a missing If-Match (CPP §10).
    preHandler: async (request) => { checkDocument(request.body, request.params) }
  }, async (request, reply) => {
    const saved = await request
      .entity<OfferRecord>()
      .replace((current) => withDraft(current, request.body, request.params, clock()))
    return reply.code(saved.created ? 201 : 200).send(draftOf(saved.value))
  })

  app.get('/:offerId/versions/:version', {
    schema: {
      operationId: 'getOfferVersion',
      summary: 'Retrieve a version of an offer, as it was published',
      params: VersionParamsSchema,
      querystring: QuerySchema,
      response: { 200: OfferSchema, ...errorResponses }
    }
  }, async (request) => publishedOf(await readOffer(request, request.params), Number(request.params.version)))

  app.get('/:offerId/slot/:slotId', {
    schema: {
      operationId: 'getOfferSlot',
      summary: 'Retrieve what is in a slot of an offer',
      params: SlotParamsSchema,
      querystring: QuerySchema,
      response: { 200: OfferSchema, ...errorResponses }
    }
  }, async (request) => {
    const slot = slotNamed(request.params.slotId) // a wrong one ranks before an offer that is not there (CPP §10)
    return slotOf(await readOffer(request, request.params), slot)
  })
}
