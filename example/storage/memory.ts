import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { SettingError } from '../process/setting-error.js'
import type { CreateStorage } from './index.js'

/** `memory:` */
export const createMemory: CreateStorage = (setting) => {
  if (setting !== 'memory:') throw new SettingError('STORAGE', 'accepts "memory:" as it is')
  return memoryAdapter()
}
