import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { checkApiVersion } from './api-version.js'
import { authenticate, authorise } from './auth.js'
import { answerUnreadable } from './client-errors.js'
import { drainConnections } from './drain.js'
import { answerError, answerNoRoute } from './errors.js'
import { health } from './health.js'
import { acceptJsonAlone } from './json-body.js'
import { offers } from './offers/routes.js'
import type { Token } from './tokens.js'

/** What the app is made of. */
export interface AppOptions {
  storage: StorageAdapter
  tokens: readonly Token[]
  logger?: FastifyServerOptions['logger']
}

/** Builds the app. It does not listen. */
export async function buildApp ({ storage, tokens, logger = false }: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger,
    genReqId: () => randomUUID(),
    // Bodies are checked, never converted: clients get back what they PUT.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    // The schema says which ids are too long, once the caller is known.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    // What still arrives while the server closes is served, and its connection ends with the answer.
    return503OnClosing: false,
    frameworkErrors: answerError,
    clientErrorHandler: answerUnreadable
  })
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(answerNoRoute)
  app.decorateRequest('token', null)
  app.addHook('onRequest', async (request, reply) => { reply.header('x-ms-correlation-request-id', request.id) })
  acceptJsonAlone(app)
  drainConnections(app)

  await app.register(ifMatch, { storage })
  await app.register(health, { storage })
  await app.register(async (api) => {
    // The order of refusals (CPP §10): 401, the version, 403, and only then what is in the request.
    api.addHook('onRequest', authenticate(tokens))
    api.addHook('onRequest', checkApiVersion)
    api.addHook('onRequest', authorise)
    await api.register(offers, { prefix: '/offers', storage })
  }, { prefix: '/api/publishers/:publisherId' })
  return app
}
