import assert from 'node:assert/strict'
import { checkKey, jsonText } from 'fastify-if-match/storage'
import type { Mapping } from 'fastify-if-match/storage/statements'
import type { Offer } from './offer.js'

/** Any JSON under any key, in the columns of an offer. Every column depends on the value: a lost one shows. */
export const anything: Mapping<unknown, Offer> = {
  toId (key) {
    checkKey(key)
    return key
  },
  toColumns (value) {
    const text = jsonText(value)
    return { title: text, price: checksum(text), published: checksum(text) % 2 === 1 }
  },
  toValue ({ title, price, published }) {
    assert.deepEqual({ price, published }, { price: checksum(title), published: checksum(title) % 2 === 1 })
    return JSON.parse(title)
  }
}

function checksum (text: string): number {
  return Buffer.from(text).reduce((sum, byte) => (sum * 31 + byte) % 65_521)
}
