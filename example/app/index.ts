import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import ifMatch, { type ListingAdapter, type StorageAdapter } from 'fastify-if-match'
import { desk } from '../desk/index.js'
import { catalog } from '../offers/catalog.js'
import { compositeOperation } from '../offers/composite-operation.js'
import { settle } from '../offers/lifecycle.js'
import type { OfferOptions } from '../offers/options.js'
import type { OfferRecord } from '../offers/record.js'
import { offers } from '../offers/routes.js'
import { NAMED_SCHEMAS } from '../offers/schemas.js'
import { clockedStorage } from '../storage/clocked-storage.js'
import { checkApiVersion } from './api-version.js'
import { authenticate, authorise } from './auth.js'
import { answerUnreadable } from './client-errors.js'
import { limitClients, limitConnections } from './client-limits.js'
import { drainConnections } from './drain.js'
import { answerError } from './errors.js'
import { health } from './health.js'
import { httpServerOf } from './http-server.js'
import { acceptJsonAlone } from './json-body.js'
import type { Limits } from './limits.js'
import { applyMessageRules } from './message-rules.js'
import { answerNoRoute, ROUTER_OPTIONS } from './no-route.js'
import { openApi } from './openapi.js'
import { refuseUnderPressure } from './pressure.js'
import { sendRequestId } from './request-id.js'
import { sendSecurityHeaders } from './security-headers.js'
import type { Token } from './tokens.js'

/** What the app is made of. */
export interface AppOptions extends Partial<Pick<OfferOptions, 'clock' | 'stepMs' | 'actionsIfMatch'>> {
  storage: StorageAdapter
  tokens: readonly Token[]
  /** How long a client may take to end its request once the server closes, in milliseconds; 5,000 by default. */
  shutdownMs?: number
  /** How much the process takes on; without bounds of ours by default, since a test may well block the event loop. */
  limits?: Limits
  logger?: FastifyServerOptions['logger']
}

/**
 * Builds the app. It does not listen.
 *
 * @throws TypeError if the storage has no `list`
 */
export async function buildApp ({
  storage: engine,
  tokens,
  clock = Date.now,
  stepMs = 5000,
  actionsIfMatch = 'required',
  shutdownMs = 5000,
  limits = {},
  logger = false
}: AppOptions): Promise<FastifyInstance> {
  if (!canList(engine)) throw new TypeError('The offers API needs a storage adapter with list().')
  const storage = clockedStorage(engine as ListingAdapter<OfferRecord>, (offer) => settle(offer, clock()))
  const app = Fastify({
    logger,
    genReqId: () => randomUUID(),
    // Bodies are checked, never converted: clients get back what they PUT.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    routerOptions: ROUTER_OPTIONS,
    // A request that arrives while the server closes is served, and its answer ends its connection (drain.ts).
    return503OnClosing: false,
    serverFactory: httpServerOf(limits),
    frameworkErrors: answerError,
    clientErrorHandler: answerUnreadable
  })
  app.setErrorHandler(answerError)
  app.decorateRequest('token', null)
  sendRequestId(app)
  sendSecurityHeaders(app)
  applyMessageRules(app)
  answerNoRoute(app)
  acceptJsonAlone(app)
  drainConnections(app, shutdownMs)
  limitConnections(app, limits)
  limitClients(app, limits)

  await app.register(openApi, { schemas: NAMED_SCHEMAS, tokens })
  await app.register(ifMatch, { storage })
  await app.register(health, { storage: engine })
  await app.register(desk, { tokens })
  await app.register(
    async (api) => {
      // Refusals and answers without a tag say so too (reading 5).
      api.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-cache') })
      // The order of refusals (reading 7): overload, 401, the api-version, 403, and only then the request itself.
      await refuseUnderPressure(api, limits)
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
