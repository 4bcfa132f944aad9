import type { FastifyInstance } from 'fastify'
import { buildApp } from '../app/index.js'
import { createStorage } from '../storage/index.js'
import { listenError } from './listen-error.js'
import type { Settings } from './settings.js'

/**
 * Serves in this process, and resolves to the app and where it listens.
 *
 * @throws SettingError if it cannot listen there, or the storage cannot be used
 */
export async function serve (settings: Settings): Promise<{ app: FastifyInstance, url: string }> {
  const app = await buildApp({
    storage: await createStorage(settings.storage),
    tokens: settings.tokens,
    stepMs: settings.stepMs,
    actionsIfMatch: settings.actionsIfMatch,
    shutdownMs: settings.shutdownMs,
    limits: settings.limits,
    // Standard output is for the greeting, so that a reader finds it.
    logger: { level: settings.logLevel, stream: process.stderr }
  })
  try {
    return { app, url: await app.listen({ host: settings.host, port: settings.port }) }
  } catch (error) {
    throw listenError(error)
  }
}
