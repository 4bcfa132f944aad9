import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import type { StorageAdapter } from 'fastify-if-match'
import type { StorageName } from './protocol.js'

const STORES: Record<StorageName, (location: string) => StorageAdapter> = {
  memory: () => memoryAdapter(),
  sqlite: (location) => sqliteAdapter({ database: new Database(join(location, 'race.db')) })
}

/** The store, as each server process makes it. */
export function makeStore (name: StorageName, location: string): StorageAdapter {
  return STORES[name](location)
}

/** A folder for the stores of one test, and what removes it. */
export function makeLocation (): { location: string, remove: () => void } {
  const location = mkdtempSync(join(tmpdir(), 'fastify-if-match-race-'))
  return { location, remove: () => rmSync(location, { recursive: true, force: true }) }
}
