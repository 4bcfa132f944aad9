import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { FaultyHandle, fileOf } from '../../support/sqlite/handles.js'
import { offers, offersAdapter, type Offer } from './offers-adapter.js'

export const offer: Offer = { title: 'Wave', price: 1900, published: false }

/** The adapter of the guide on a handle that fails where the test says so, and the connection of another process. */
export function subject (t: Test) {
  const file = fileOf(t)
  const other = new Database(file, { timeout: 0 })
  other.exec(readFileSync('test/docs/write-an-adapter/offers.sql', 'utf8'))
  const handle = new FaultyHandle(new Database(file, { timeout: 0 }))
  t.teardown(() => {
    handle.close()
    other.close()
  })
  return { adapter: offersAdapter(handle as unknown as Database.Database, offers), handle, other }
}

/** Creates an offer and gives its version. */
export async function create (adapter: StorageAdapter<Offer>, key: string, value: Offer = offer): Promise<string> {
  const result = await adapter.write(key, value, { kind: 'absent' })
  if (!result.applied) throw new Error(`${key} is there already`)
  return result.version
}
