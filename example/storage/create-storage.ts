import type { StorageAdapter } from 'fastify-if-match'

/**
 * Makes the storage that `STORAGE` names. When it closes, so does the connection that was made for it.
 *
 * @throws SettingError for a form that the engine does not have
 */
export type CreateStorage = (setting: string) => StorageAdapter | Promise<StorageAdapter>
