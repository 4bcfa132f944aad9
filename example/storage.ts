import Database from 'better-sqlite3'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import { SettingError } from './settings.js'

/**
 * The storage that the setting names. It closes with the app.
 *
 * @throws SettingError if its file cannot be opened
 */
export function createStorage (name: string): StorageAdapter {
  if (name === 'memory:') return memoryAdapter()
  const database = openFile(name.slice('sqlite:'.length))
  const adapter = sqliteAdapter({ database })
  return {
    ...adapter,
    async close () {
      await adapter.close?.()
      database.close()
    }
  }
}

function openFile (file: string): Database.Database {
  try {
    mkdirSync(dirname(file), { recursive: true })
    return new Database(file)
  } catch (error) {
    throw new SettingError('STORAGE', `names a file that cannot be opened (${(error as { code?: string }).code}): check its folder and permissions`)
  }
}
