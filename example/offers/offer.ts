import type { OfferDocument } from './schemas.js'

/** An offer as GET shows it: what its client put there, and what the server owns. */
export interface Offer {
  offerTypeId: string
  publisherId: string
  id: string
  status: 'neverPublished'
  version: number
  changedTime: string
  definition?: OfferDocument['definition']
  [name: string]: unknown
}

/** All that is stored of an offer, under one key and one tag. */
export interface OfferRecord {
  draft: Offer
}

/** An offer in a list (CPP §6). */
export type OfferSummary = Omit<Offer, 'definition'> & { definition: { displayText?: string } }

/** The offer as a list shows it. */
export function summaryOf ({ definition, ...offer }: Offer): OfferSummary {
  const { displayText } = definition ?? {}
  return { ...offer, definition: displayText === undefined ? {} : { displayText } } as OfferSummary
}
