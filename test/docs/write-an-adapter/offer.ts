import { errorCodes } from 'fastify-if-match'
import type { Mapping } from 'fastify-if-match/storage/statements'

/** What a handler reads and writes. The price is in cents. */
export interface Offer { title: string, price: number, published: boolean }

export const offer: Mapping<Offer, Offer> = {
  // A key is `/offers/` and what encodeURIComponent makes of the id. Another spelling would be a second key of the row.
  toId (key) {
    const id = decode(String(key).slice('/offers/'.length))
    if (isText(id) && id !== '' && id.length <= 100 && key === `/offers/${encodeURIComponent(id)}`) return id
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

function decode (text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

// A lone surrogate would come back as U+FFFD, and PostgreSQL stores no U+0000 in a text.
function isText (text: unknown): text is string {
  return typeof text === 'string' && text.isWellFormed() && !text.includes('\0')
}
