import type { FastifyInstance } from 'fastify'
import { buildApp } from '../app/index.js'
import { createStorage } from '../storage/index.js'
import { SettingError } from '../storage/setting-error.js'
import type { Settings } from './settings.js'

const FLAW_OF_CODE: Readonly<Record<string, [name: string, expectation: string]>> = {
  EADDRINUSE: ['PORT', 'names a port that another process listens on: choose another one, or 0 for any free port'],
  EACCES: ['PORT', 'names a port that this user may not listen on: choose one from 1024 on'],
  EADDRNOTAVAIL: ['HOST', 'names an address that this machine does not have'],
  ENOTFOUND: ['HOST', 'names a host that has no address'],
  EAI_AGAIN: ['HOST', 'names a host whose address cannot be looked up now: name an IP address, or try again later']
}

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
    const flaw = FLAW_OF_CODE[String((error as { code?: unknown }).code)]
    throw flaw === undefined ? error : new SettingError(...flaw)
  }
}
