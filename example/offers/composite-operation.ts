import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { assertRole } from '../app/auth.js'
import { errorResponses } from '../app/error-schema.js'
import { ApiError } from '../app/errors.js'
import { findOperation, operationDocument } from './operation.js'
import type { OfferOptions } from './options.js'
import { readOffer } from './read.js'
import { OperationSchema, QuerySchema } from './schemas.js'

const FORM = /^(?<publisherId>[^$]+)\$(?<offerId>[^$]+)\$(?<version>[1-9]\d*)\$(?<slot>preview|production)$/i

/** The older address of an operation (reading 27). The publisher is a part of it, so it has a check of its own. */
export const compositeOperation: FastifyPluginAsyncTypebox<Pick<OfferOptions, 'clock'>> = async (app, { clock }) => {
  app.get('/operations/:compositeId', {
    schema: {
      operationId: 'getCompositeOperation',
      summary: 'Retrieve how far an operation is, by its older address',
      params: Type.Object({ compositeId: Type.String({ description: 'publisherId$offerId$publishingVersion$slot' }) }),
      querystring: QuerySchema,
      response: { 200: OperationSchema, ...errorResponses }
    },
    onRequest: async (request) => { assertRole(request, partsOf(request).publisherId) }
  }, async (request) => {
    const parts = partsOf(request)
    const offer = await readOffer(request, parts)
    return operationDocument(findOperation(offer, ({ version }) => version === Number(parts.version)), clock())
  })
}

function partsOf ({ params }: Pick<FastifyRequest, 'params'>) {
  const parts = FORM.exec((params as { compositeId: string }).compositeId)?.groups
  if (parts === undefined) throw new ApiError(404, 'OperationNotFound', 'There is no such operation.')
  return parts as { publisherId: string, offerId: string, version: string }
}
