import type Database from 'better-sqlite3'
import { storageByPattern, type StorageAdapter } from 'fastify-if-match/storage'
import { linesAdapter, ordersAdapter } from './adapters.js'

export function storageOf (database: Database.Database): StorageAdapter {
  return storageByPattern({
    '/orders/:id': ordersAdapter(database),
    '/orders/:order/lines/:line': linesAdapter(database)
  })
}
