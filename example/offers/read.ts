import type { FastifyRequest } from 'fastify'
import type { ListingAdapter } from 'fastify-if-match'
import { offerKey, offersPrefix } from './key.js'
import type { OfferRecord } from './record.js'
import type { OfferParams } from './schemas.js'

/** All offers of a publisher, ordered by id. The API knows no pages (CPP §2), so this reads all of the storage's. */
export async function listOffers (storage: ListingAdapter<OfferRecord>, publisherId: string): Promise<OfferRecord[]> {
  const offers: OfferRecord[] = []
  let after: string | undefined
  do {
    const page = await storage.list(offersPrefix(publisherId), { after })
    for (const { value } of page.items) offers.push(value)
    after = page.next
  } while (after !== undefined)
  return offers
}

/** An offer, for routes that show a part of it and so carry no tag; 404 if there is none. */
export async function readOffer (request: Pick<FastifyRequest, 'entity'>, { publisherId, offerId }: OfferParams): Promise<OfferRecord> {
  return (await request.entity<OfferRecord>(offerKey(publisherId, offerId)).read()).value
}
