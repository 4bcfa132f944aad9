import assert from 'node:assert/strict'
import type { ListOptions, Page, StorageAdapter, Stored, WriteOptions } from '../storage/adapter.js'
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
