import type { FastifyPluginAsync } from 'fastify'
import { actions } from './actions.js'
import { documents } from './documents.js'
import { operations } from './operations.js'
import type { OfferOptions } from './options.js'

/** The offers of a publisher. */
export const offers: FastifyPluginAsync<OfferOptions> = async (app, { storage, clock, stepMs, actionsIfMatch }) => {
  const options: OfferOptions = { storage, clock, stepMs, actionsIfMatch }
  await app.register(documents, options)
  await app.register(actions, options)
  await app.register(operations, options)
}
