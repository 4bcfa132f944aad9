import assert from 'node:assert/strict'
import type { Stored, TransactionAdapter } from 'fastify-if-match/storage'
import { checkKey, jsonText } from 'fastify-if-match/storage'
import type { Order } from '../../order.js'
import { nextId } from './ids.js'

/** Gives each key an order of its own, which no other call gives. */
export function newKeys (): (key: string) => string {
  const known = new Map<string, string>()
  return (key) => {
    checkKey(key)
    if (!known.has(key)) known.set(key, `/orders/${nextId()}`)
    return known.get(key)!
  }
}

/**
 * The adapter of orders as one that stores any JSON under any key, as the conformance suite asks: the adapter itself
 * is what its user writes, without a thought for the suite.
 */
export function anyJson (adapter: TransactionAdapter<Order>, keyOf: (key: string) => string): TransactionAdapter {
  return {
    ...adapter,
    read: async (key, options) => stored(await adapter.read(keyOf(key), options)),
    write: async (key, value, expectation, options) =>
      outcome(await adapter.write(keyOf(key), toOrder(value), expectation, options)),
    remove: async (key, expectation, options) => outcome(await adapter.remove(keyOf(key), expectation, options)),
    transaction: async (key, expectation, work, options) => outcome(await adapter.transaction(
      keyOf(key),
      expectation,
      async (tx, locked) => await work(tx, { version: locked.version, read: async () => stored(await locked.read()) }),
      options
    ))
  }
}

function stored (found: Stored<Order> | undefined): Stored | undefined {
  return found && { ...found, value: toValue(found.value) }
}

// A refusal has an order. So has a write that tells what is stored; what a work gives is its own.
function outcome<R extends { applied: boolean }> (result: R): R {
  const { applied, current, value } = result as { applied: boolean, current?: Stored<Order>, value?: Order }
  if (!applied) return { ...result, current: stored(current) }
  return Array.isArray(value?.lines) ? { ...result, value: toValue(value) } : result
}

/** Every column and every line depends on the value: a lost one shows. */
function toOrder (value: unknown): Order {
  const text = jsonText(value)
  const sum = Buffer.from(text).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7)
  const lines = Array.from({ length: sum % 4 }, (_, index) => ({ sku: `${sum}-${index}`, quantity: index + 1 }))
  return { customer: text, note: sum % 2 === 0 ? null : String(sum), lines }
}

function toValue (order: Order): unknown {
  const value: unknown = JSON.parse(order.customer)
  assert.deepEqual(order, toOrder(value))
  return value
}
