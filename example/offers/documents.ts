import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { IfMatchRouteOptions } from 'fastify-if-match'
import { errorResponses } from '../app/error-schema.js'
import { checkDocument, withDraft } from './draft.js'
import { offerTypeOf } from './filter.js'
import { OFFER_KEY } from './key.js'
import { draftOf, publishedOf, slotNamed, slotOf, summaryOf } from './offer.js'
import type { OfferOptions } from './options.js'
import { offersOf, readOffer } from './read.js'
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
  type OfferParams,
  type OfferSummary
} from './schemas.js'

// `*` creates too (reading 2): it compares nothing.
const config: { ifMatch: IfMatchRouteOptions } = {
  ifMatch: {
    key: OFFER_KEY,
    create: 'wildcard',
    // Two people of a publisher have the same token, and may save the same under one tag: both are told a success by a
    // key alone, which belongs to one change (reading 39). Without one, no request is like another.
    resend: {
      caller: ({ headers, params, id }) =>
        headers['idempotency-key'] === undefined ? id : (params as OfferParams).publisherId
    },
    // Who may write the offers of a publisher may read them (reading 9): a 412 shows the draft as GET does (reading 5).
    representation: ({ value }: { value: OfferRecord }) => draftOf(value)
  }
}

/** Offers as documents: the list, drafts, and published versions. */
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
    // It runs ahead of the plugin's own preHandler: a wrong body ranks before a missing If-Match (reading 7).
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
    // A wrong name ranks before an offer that does not exist (reading 7).
    const slot = slotNamed(request.params.slotId)
    return slotOf(await readOffer(request, request.params), slot)
  })
}
