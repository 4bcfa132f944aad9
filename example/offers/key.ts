/** The key of an offer, as a pattern: the one entity that all routes of an offer act on. */
export const OFFER_KEY = '/publishers/:publisherId/offers/:offerId'

/** How the keys of all offers of a publisher begin. */
export function offersPrefix (publisherId: string): string {
  return `/publishers/${encodeURIComponent(publisherId)}/offers/`
}

/** The key of an offer, as OFFER_KEY makes it. */
export function offerKey (publisherId: string, offerId: string): string {
  return `${offersPrefix(publisherId)}${encodeURIComponent(offerId)}`
}
