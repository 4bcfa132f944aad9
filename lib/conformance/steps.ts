import assert from 'node:assert/strict'
import type {
  Expectation,
  ListOptions,
  Page,
  StorageAdapter,
  Stored,
  TransactionResult,
  Work,
  WriteOptions
} from '../storage/adapter.js'
import { assertApplied } from './assert.js'

export const ABSENT = { kind: 'absent' } as const
export const EXISTS = { kind: 'exists' } as const
export const ANY = { kind: 'any' } as const

export function versionIn (...versions: string[]) {
  return { kind: 'version', versions } as const
}

/** Creates an entity, and gives its version. */
export async function create (
  adapter: StorageAdapter,
  key: string,
  value: unknown,
  options?: WriteOptions
): Promise<string> {
  return assertApplied(await adapter.write(key, value, ABSENT, options)).version
}

/** Reads an entity that must exist. */
export async function readPresent (adapter: StorageAdapter, key: string): Promise<Stored> {
  const stored = await adapter.read(key)
  assert.ok(stored, `nothing is stored under ${JSON.stringify(key)}`)
  return stored
}

/** Lists by an adapter that must have `list`. */
export function list (adapter: StorageAdapter, prefix: string, options?: ListOptions): Promise<Page> {
  assert.ok(adapter.list, 'the adapter has no "list": add it, or pass "list: false" to the suite')
  return adapter.list(prefix, options)
}

export async function keysOf (adapter: StorageAdapter, prefix: string, options?: ListOptions): Promise<string[]> {
  return (await list(adapter, prefix, options)).items.map(({ key }) => key)
}

/** Runs a transaction by an adapter that must have `transaction`. */
export function transact<R> (
  adapter: StorageAdapter,
  key: string,
  expectation: Expectation,
  work: Work<unknown, R>,
  options?: WriteOptions
): Promise<TransactionResult<unknown, R>> {
  assert.ok(adapter.transaction, 'the adapter has no "transaction": add it, or leave out "transactions: true"')
  return adapter.transaction(key, expectation, work, options)
}

/** The options of an operation that is part of a transaction. */
export function inside (tx: unknown): { context: { client: unknown } } {
  return { context: { client: tx } }
}

/** Writes an entity inside a transaction, and gives its version. */
export async function put (
  adapter: StorageAdapter,
  tx: unknown,
  key: string,
  value: unknown,
  expectation: Expectation = ANY
): Promise<string> {
  return assertApplied(await adapter.write(key, value, expectation, inside(tx))).version
}

/** The values under these keys, read one after the other; undefined where nothing is stored. */
export async function valuesOf (adapter: StorageAdapter, ...keys: string[]): Promise<unknown[]> {
  const values: unknown[] = []
  for (const key of keys) values.push((await adapter.read(key))?.value)
  return values
}
