import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { StorageAdapter } from 'fastify-if-match'
import { errorResponses } from './error-schema.js'
import { ApiError } from './errors.js'

/** How long the storage may take to answer, in milliseconds. */
const TIMEOUT = 1000

/** `GET /health`: 200 when the storage answers, 503 otherwise. For load balancers, so no token is needed. */
export const health: FastifyPluginAsyncTypebox<{ storage: StorageAdapter }> = async (app, { storage }) => {
  app.get('/health', {
    handlerTimeout: TIMEOUT,
    schema: {
      operationId: 'getHealth',
      summary: 'Whether the storage answers',
      response: { 200: Type.Object({ status: Type.Literal('ok') }), ...errorResponses }
    }
  }, async () => {
    try {
      await storage.read('/health')
    } catch (cause) {
      throw new ApiError(503, 'ServiceUnavailable', 'The storage does not answer.', { cause })
    }
    return { status: 'ok' as const }
  })
}
