import { setImmediate } from 'node:timers/promises'
import type { FastifyRequest } from 'fastify'
import type { ListingAdapter } from 'fastify-if-match'
import { offerKey, offersPrefix } from './key.js'
import type { OfferRecord } from './record.js'
import type { OfferParams } from './schemas.js'

/** How many offers are read at once. Each may take a mebibyte of JSON, and nothing else runs while that is parsed. */
const PAGE = 10

/** The offers of a publisher, ordered by id, from all pages of the storage; one page is held at a time. */
export async function * offersOf (
  storage: ListingAdapter<OfferRecord>,
  publisherId: string
): AsyncGenerator<OfferRecord> {
  let after: string | undefined
  do {
    const page = await storage.list(offersPrefix(publisherId), { after, limit: PAGE })
    for (const { value } of page.items) yield value
    // Other requests have their turn, also where the engine answers at once.
    await setImmediate()
    after = page.next
  } while (after !== undefined)
}

/** An offer, for routes that show a part of it and so carry no tag; 404 if it does not exist. */
export async function readOffer (
  request: Pick<FastifyRequest, 'entity'>,
  { publisherId, offerId }: OfferParams
): Promise<OfferRecord> {
  return (await request.entity<OfferRecord>(offerKey(publisherId, offerId)).read()).value
}
