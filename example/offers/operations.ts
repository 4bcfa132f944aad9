import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { errorResponses } from '../app/error-schema.js'
import { findOperation, operationDocument, statusDocument, submissionSummary } from './operation.js'
import type { OfferOptions } from './options.js'
import { readOffer } from './read.js'
import {
  OfferParamsSchema,
  OperationParamsSchema,
  OperationSchema,
  QuerySchema,
  StatusSchema,
  SubmissionsQuerySchema,
  SubmissionSummarySchema
} from './schemas.js'

/** How far an offer and its publications are. These answers move with the clock, and carry no tag (reading 5). */
export const operations: FastifyPluginAsyncTypebox<OfferOptions> = async (app, { clock }) => {
  app.get('/:offerId/status', {
    schema: {
      operationId: 'getOfferStatus',
      summary: 'Retrieve how far an offer is',
      params: OfferParamsSchema,
      querystring: QuerySchema,
      response: { 200: StatusSchema, ...errorResponses }
    }
  }, async (request) => statusDocument(await readOffer(request, request.params), clock()))

  app.get('/:offerId/submissions', {
    schema: {
      operationId: 'listSubmissions',
      summary: 'Retrieve the publications of an offer, the newest first',
      params: OfferParamsSchema,
      querystring: SubmissionsQuerySchema,
      response: { 200: Type.Array(SubmissionSummarySchema), ...errorResponses }
    }
  }, async (request) => {
    const { status, submissionState = status } = request.query
    const offer = await readOffer(request, request.params)
    const summaries = offer.submissions.map((submission) => submissionSummary(offer, submission))
    return summaries.filter((summary) => submissionState === undefined || summary.submissionState === submissionState)
  })

  app.get('/:offerId/operations/:operationId', {
    schema: {
      operationId: 'getOperation',
      summary: 'Retrieve how far an operation is',
      params: OperationParamsSchema,
      querystring: QuerySchema,
      response: { 200: OperationSchema, ...errorResponses }
    }
  }, async (request) => {
    const { operationId } = request.params
    const offer = await readOffer(request, request.params)
    const submission = findOperation(offer, ({ id, goLive }) => id === operationId || goLive?.id === operationId)
    return operationDocument(submission, clock())
  })
}
