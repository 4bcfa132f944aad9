import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { sqliteAdapter } from 'fastify-if-match/storage/sqlite'
import { closing } from './closing.js'
import type { CreateStorage } from './create-storage.js'
import { SettingError } from './setting-error.js'

/** `sqlite:<file>`; its folder is made where it is missing. */
export const createSqlite: CreateStorage = (setting) => {
  const database = openFile(setting.slice('sqlite:'.length))
  return closing(sqliteAdapter({ database }), () => database.close())
}

function openFile (file: string): Database.Database {
  if (file === '' || file === ':memory:') {
    throw new SettingError('STORAGE', 'accepts "sqlite:<file>" with the name of a file')
  }
  try {
    mkdirSync(dirname(file), { recursive: true })
    return new Database(file)
  } catch (error) {
    const { code } = error as { code?: string }
    throw new SettingError('STORAGE', `names a file that cannot be opened (${code}): check its folder and permissions`)
  }
}
