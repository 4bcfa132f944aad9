import type { StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import type { Settings } from './settings.js'

/** The storage that the setting names. */
export function createStorage (name: Settings['storage']): StorageAdapter {
  switch (name) {
    case 'memory:': return memoryAdapter()
  }
}
