import type { StorageAdapter } from 'fastify-if-match'
import { offersPrefix } from './key.js'
import { summaryOf, type OfferRecord, type OfferSummary } from './offer.js'

/** A storage that can also list, which the contract leaves open. */
export type ListingStorage = StorageAdapter & Required<Pick<StorageAdapter, 'list'>>

export function canList (storage: StorageAdapter): storage is ListingStorage {
  return storage.list !== undefined
}

/** All offers of a publisher, ordered by id. The API knows no pages (CPP §2), so this reads all of the storage's. */
export async function listOffers (storage: ListingStorage, publisherId: string): Promise<OfferSummary[]> {
  const offers: OfferSummary[] = []
  let after: string | undefined
  do {
    const page = await storage.list(offersPrefix(publisherId), { after })
    for (const { value } of page.items) offers.push(summaryOf((value as OfferRecord).draft))
    after = page.next
  } while (after !== undefined)
  return offers
}
