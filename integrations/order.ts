import { keyPattern, wholeNumber } from 'fastify-if-match'

/** What a handler reads and writes: a row of `orders`, and its rows of `lines` in their order. */
export interface Order { customer: string, note: string | null, lines: Line[] }

export interface Line { sku: string, quantity: number }

/** A key is `/orders/7`. Another spelling of the number would be a second key of the row. */
export const orderKey = keyPattern('/orders/:id', { id: (text) => wholeNumber(text, 2 ** 31 - 1) })
