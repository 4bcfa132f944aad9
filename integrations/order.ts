import { errorCodes } from 'fastify-if-match'

/** What a handler reads and writes: a row of `orders`, and its rows of `lines` in their order. */
export interface Order { customer: string, note: string | null, lines: Line[] }

export interface Line { sku: string, quantity: number }

/** A key is `/orders/7`. Another spelling of the number would be a second key of the row. */
export const orderKey = {
  parse (key: string): { id: number } {
    const id = Number(/^\/orders\/([1-9]\d*)$/.exec(key)?.[1])
    if (id <= 2 ** 31 - 1) return { id }
    throw new errorCodes.FST_IF_MATCH_INVALID_KEY('is not that of an order')
  }
}
