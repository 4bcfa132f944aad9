import { memoryAdapter } from 'fastify-if-match/storage/memory'
import type { CreateStorage } from './create-storage.js'
import { SettingError } from './setting-error.js'

/** `memory:` */
export const createMemory: CreateStorage = (setting) => {
  if (setting !== 'memory:') throw new SettingError('STORAGE', 'accepts "memory:" as it is')
  return memoryAdapter()
}
