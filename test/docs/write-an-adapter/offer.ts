import { errorCodes, keyPattern } from 'fastify-if-match'
import type { Mapping } from 'fastify-if-match/storage/statements'

/** What a handler reads and writes. The price is in cents. */
export interface Offer { title: string, price: number, published: boolean }

const { parse } = keyPattern('/offers/:id')

export const offer: Mapping<Offer, Offer> = {
  // `parse` takes one spelling of each key: another one would be a second key of the row.
  toId (key) {
    const { id } = parse(key)
    if (id.length <= 100) return id
    throw new errorCodes.FST_IF_MATCH_INVALID_KEY('is not that of an offer')
  },

  toColumns (value) {
    const { title, price, published, ...others } = Object(value)
    const isOffer = isText(title) && Number.isSafeInteger(price) && typeof published === 'boolean'
    if (isOffer && Object.keys(others).length === 0) return { title, price, published }
    throw new errorCodes.FST_IF_MATCH_INVALID_VALUE('an offer is a title, a price in cents and published, no more')
  },

  toValue: ({ title, price, published }) => ({ title, price, published })
}

// A lone surrogate would come back as U+FFFD, and PostgreSQL stores no U+0000 in a text.
function isText (text: unknown): text is string {
  return typeof text === 'string' && text.isWellFormed() && !text.includes('\0')
}
