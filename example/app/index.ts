import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import ifMatch, { type ListingAdapter, type StorageAdapter } from 'fastify-if-match'
import { checkApiVersion } from './api-version.js'
import { authenticate, authorise } from './auth.js'
import { catalog } from './catalog.js'
import { answerUnreadable } from '../process/client-errors.js'
import { clockedStorage } from '../storage/clocked-storage.js'
import { drainConnections } from '../process/drain.js'
import { answerError, answerNoRoute } from './errors.js'
import { health } from './health.js'
import { createHttpServer } from '../process/http-server.js'
import { acceptJsonAlone } from './json-body.js'
import { applyMessageRules } from './message-rules.js'
import { compositeOperation } from '../offers/composite-operation.js'
import { settle } from '../offers/lifecycle.js'
import type { OfferOptions } from '../offers/options.js'
import type { OfferRecord } from '../offers/record.js'
import { offers } from '../offers/routes.js'
import { openApi } from './openapi.js'
import { tellRequestId } from './request-id.js'
import { sendSecurityHeaders } from './security-headers.js'
import type { Token } from './tokens.js'

/** What the app is made of. */
export interface AppOptions extends Partial<Pick<OfferOptions, 'clock' | 'stepMs' | 'actionsIfMatch'>> {
  storage: StorageAdapter
  tokens: readonly Token[]
  logger?: FastifyServerOptions['logger']
}

/** Builds the app. It does not listen. */
export async function buildApp ({
  storage: engine,
  tokens,
  clock = Date.now,
  stepMs = 5000,
  actionsIfMatch = 'required',
  logger = false
}: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger,
    genReqId: () => randomUUID(),
    // Bodies are checked, never converted: clients get back what they PUT.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    // The schema says which ids are too long, once the caller is known.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    // What still arrives while the server closes is served, and its connection ends with the answer.
    return503OnClosing: false,
    serverFactory: createHttpServer,
    frameworkErrors: answerError,
    clientErrorHandler: answerUnreadable
  })
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(answerNoRoute)
  app.decorateRequest('token', null)
  tellRequestId(app)
  sendSecurityHeaders(app)
  applyMessageRules(app)
  acceptJsonAlone(app)
  drainConnections(app)

  if (!canList(engine)) throw new TypeError('The offers API needs a storage adapter with list().')
  const storage = clockedStorage(engine as ListingAdapter<OfferRecord>, (offer) => settle(offer, clock()))
  await app.register(openApi)
  await app.register(ifMatch, { storage })
  await app.register(health, { storage: engine })
  await app.register(
    async (api) => {
      // As the API does (CPP §2), on refusals and on what carries no tag too: no cache shows an old state unasked.
      api.addHook('onRequest', async (_request, reply) => {
        reply.header('cache-control', 'no-cache')
      })
      // The order of refusals (CPP §10): 401, the version, 403, and only then what is in the request.
      api.addHook('onRequest', authenticate(tokens))
      api.addHook('onRequest', checkApiVersion)
      await api.register(catalog)
      await api.register(compositeOperation, { clock })
      await api.register(
        async (publisher) => {
          publisher.addHook('onRequest', authorise)
          await publisher.register(offers, { prefix: '/offers', storage, clock, stepMs, actionsIfMatch })
        },
        { prefix: '/publishers/:publisherId' }
      )
    },
    { prefix: '/api' }
  )
  return app
}

function canList (storage: StorageAdapter): storage is ListingAdapter {
  return storage.list !== undefined
}
