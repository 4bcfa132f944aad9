import type { ListingAdapter } from 'fastify-if-match'
import type { OfferRecord } from './record.js'

/** What the routes of offers work with. */
export interface OfferOptions {
  storage: ListingAdapter<OfferRecord>
  /** The time, in milliseconds since 1970. */
  clock: () => number
  /** How long a step of a publication takes, in milliseconds. */
  stepMs: number
  /** Whether publish, golive and cancel demand If-Match (reading 1). */
  actionsIfMatch: 'required' | 'optional'
}
