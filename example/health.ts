import type { FastifyPluginAsync } from 'fastify'
import type { StorageAdapter } from 'fastify-if-match'
import { ApiError } from './errors.js'

const LONGEST_WAIT = 1000

/** `GET /health`: 200 when the storage answers, 503 otherwise. For load balancers, so it asks for no token. */
export const health: FastifyPluginAsync<{ storage: StorageAdapter }> = async (app, { storage }) => {
  app.get('/health', { handlerTimeout: LONGEST_WAIT }, async () => {
    try {
      await storage.read('/health')
    } catch (cause) {
      throw new ApiError(503, 'ServiceUnavailable', 'The storage does not answer.', { cause })
    }
    return { status: 'ok' }
  })
}
