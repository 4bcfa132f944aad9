import { errorCodes } from 'fastify-if-match'
import type { Mapping } from 'fastify-if-match/storage/statements'

export interface Offer { title: string, price: number, published: boolean }

export const offer: Mapping<Offer, Offer> = {
  // A key is `/offers/` and what encodeURIComponent made of the id. Any other spelling would be a second key of the row.
  toId (key) {
    let id: string | undefined
    try { id = decodeURIComponent(key.slice('/offers/'.length)) } catch {}
    if (isText(id) && id !== '' && id.length <= 100 && key === `/offers/${encodeURIComponent(id)}`) return id
    throw new errorCodes.FST_IF_MATCH_INVALID_KEY('is not that of an offer')
  },

  toColumns (value) {
    const { title, price, published, ...more } = Object(value)
    const isOffer =
      isText(title) && Number.isSafeInteger(price) && typeof published === 'boolean' && Object.keys(more).length === 0
    if (isOffer) return { title, price, published }
    throw new errorCodes.FST_IF_MATCH_INVALID_VALUE(
      'an offer is a title, a price in cents, published, and nothing else'
    )
  },

  toValue: ({ title, price, published }) => ({ title, price, published })
}

// A lone surrogate would come back as U+FFFD, and PostgreSQL has no U+0000 in its texts.
function isText (text: unknown): text is string {
  return typeof text === 'string' && text.isWellFormed() && !text.includes('\0')
}
