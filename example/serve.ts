import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.js'
import type { Settings } from './settings.js'
import { createStorage } from './storage/index.js'

/** Serves in this process, and resolves to the app and where it listens. */
export async function serve (settings: Settings): Promise<{ app: FastifyInstance, url: string }> {
  const app = await buildApp({
    storage: await createStorage(settings.storage),
    tokens: settings.tokens,
    stepMs: settings.stepMs,
    actionsIfMatch: settings.actionsIfMatch,
    // Standard output is for the greeting, so that a reader finds it.
    logger: { level: settings.logLevel, stream: process.stderr }
  })
  return { app, url: await app.listen({ host: settings.host, port: settings.port }) }
}
