import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { IfMatchRouteOptions } from 'fastify-if-match'
import { API_VERSIONS } from '../app/api-version.js'
import { errorResponses } from '../app/error-schema.js'
import { OFFER_KEY } from './key.js'
import { cancel, goLive, isActive, publish } from './lifecycle.js'
import { operationDocument, statusDocument } from './operation.js'
import type { OfferOptions } from './options.js'
import type { OfferRecord } from './record.js'
import {
  ActionBodySchema,
  OfferParamsSchema,
  OperationSchema,
  QuerySchema,
  StatusSchema,
  type ActionBody,
  type OfferParams
} from './schemas.js'

const LocationSchema = { type: 'string', description: 'Where to follow the operation, without the host' }
const AcceptedSchema = {
  ...OperationSchema,
  headers: { Location: LocationSchema, 'Operation-Location': LocationSchema }
}

/** Changes that are not a document: publish, golive and cancel. */
export const actions: FastifyPluginAsyncTypebox<OfferOptions> = async (app, { clock, stepMs, actionsIfMatch }) => {
  const config: { ifMatch: IfMatchRouteOptions } = {
    ifMatch: { key: OFFER_KEY, create: false, missing: actionsIfMatch === 'optional' ? 'allow' : 400 }
  }
  const action = { params: OfferParamsSchema, querystring: QuerySchema, body: ActionBodySchema }

  app.post('/:offerId/publish', {
    config,
    schema: {
      operationId: 'publishOffer',
      summary: 'Publish an offer',
      ...action,
      response: { 202: AcceptedSchema, ...errorResponses }
    }
  }, async (request, reply) => {
    const publication = { id: randomUUID(), emails: emailsOf(request.body), stepMs, now: clock() }
    const { value } = await request.entity<OfferRecord>().update((offer) => publish(offer, publication))
    const [submission] = value.submissions
    return await reply
      .code(202)
      .headers(locationOf(request.params, submission!.id))
      .send(operationDocument(submission!, publication.now))
  })

  app.post('/:offerId/golive', {
    config,
    schema: {
      operationId: 'goLiveOffer',
      summary: 'Let the version in the preview slot go live',
      ...action,
      response: { 202: AcceptedSchema, ...errorResponses }
    }
  }, async (request, reply) => {
    const step = { id: randomUUID(), now: clock() }
    const { value } = await request.entity<OfferRecord>().update((offer) => goLive(offer, step))
    return await reply
      .code(202)
      .headers(locationOf(request.params, step.id))
      .send(operationDocument(value.submissions[0]!, step.now))
  })

  app.post('/:offerId/cancel', {
    config,
    schema: {
      operationId: 'cancelOffer',
      summary: 'Cancel the publication of an offer',
      ...action,
      response: { 200: StatusSchema, 202: AcceptedSchema, ...errorResponses }
    }
  }, async (request, reply) => {
    const now = clock()
    let wasActive = false
    const { value } = await request.entity<OfferRecord>().update((offer) => {
      wasActive = isActive(offer.submissions[0])
      return cancel(offer, now)
    })
    // Nothing to cancel is a success as well (reading 23): known clients cancel first, whatever the state is.
    if (!wasActive) return await reply.code(200).send(statusDocument(value, now))
    const [submission] = value.submissions
    return await reply
      .code(202)
      .headers(locationOf(request.params, submission!.id))
      .send(operationDocument(submission!, now))
  })
}

function emailsOf (body: ActionBody): string {
  return body?.metadata?.['notification-emails'] ?? ''
}

// Relative, as clients put their host in front of it. In both headers: some clients read the one, some the other.
function locationOf ({ publisherId, offerId }: OfferParams, operationId: string) {
  const offer = `/api/publishers/${publisherId}/offers/${offerId}`
  const location = `${offer}/operations/${operationId}?api-version=${API_VERSIONS[0]}`
  return { location, 'operation-location': location }
}
