import { entityKey } from 'fastify-if-match'

/** The key of an offer, as a pattern: the one entity that all routes of an offer act on. */
export const OFFER_KEY = '/publishers/:publisherId/offers/:offerId'

/** How the keys of all offers of a publisher begin. */
export function offersPrefix (publisherId: string): string {
  return entityKey('/publishers/:publisherId/offers/', { publisherId })
}

/** The key of an offer, as OFFER_KEY makes it. */
export function offerKey (publisherId: string, offerId: string): string {
  return entityKey(OFFER_KEY, { publisherId, offerId })
}
