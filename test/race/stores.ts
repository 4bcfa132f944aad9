import { memoryAdapter } from 'fastify-if-match/storage/memory'
import type { StorageAdapter } from 'fastify-if-match'
import type { StorageName } from './protocol.js'

const STORES: Record<StorageName, () => StorageAdapter> = {
  memory: () => memoryAdapter()
}

export function makeStore (name: StorageName): StorageAdapter {
  return STORES[name]()
}
