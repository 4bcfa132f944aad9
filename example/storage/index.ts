import type { StorageAdapter } from 'fastify-if-match'
import type { CreateStorage } from './create-storage.js'

// Loaded when they are asked for, so that nobody needs the drivers of the others.
const postgres = async (): Promise<CreateStorage> => (await import('./postgres.js')).createPostgres
const mysql = async (): Promise<CreateStorage> => (await import('./mysql.js')).createMysql
const redis = async (): Promise<CreateStorage> => (await import('./redis.js')).createRedis
const etcd = async (): Promise<CreateStorage> => (await import('./etcd.js')).createEtcd

const ENGINES: Readonly<Record<string, () => Promise<CreateStorage>>> = {
  memory: async () => (await import('./memory.js')).createMemory,
  sqlite: async () => (await import('./sqlite.js')).createSqlite,
  postgres,
  postgresql: postgres,
  mysql,
  mariadb: mysql,
  redis,
  rediss: redis,
  etcd,
  etcds: etcd
}

/** The engines that `STORAGE` can name, as the schemes of its value. */
export const ENGINE_NAMES = Object.keys(ENGINES)

/**
 * The storage that the setting names. It closes with what was opened for it.
 *
 * @param setting its scheme is one of ENGINE_NAMES
 * @throws SettingError for a form that the engine does not have, or a file that cannot be opened
 */
export async function createStorage (setting: string): Promise<StorageAdapter> {
  const create = await ENGINES[setting.slice(0, setting.indexOf(':'))]!()
  return await create(setting)
}
