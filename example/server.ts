import { buildApp } from './app.js'
import { greeting } from './greeting.js'
import { readSettings, SettingError } from './settings.js'
import { createStorage } from './storage.js'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

try {
  await start()
} catch (error) {
  console.error(error instanceof SettingError ? error.message : error)
  process.exit(1)
}

async function start (): Promise<void> {
  const settings = readSettings(process.env)
  const app = await buildApp({
    storage: createStorage(settings.storage),
    tokens: settings.tokens,
    // Standard output is for the greeting, so that a reader finds it.
    logger: { level: settings.logLevel, stream: process.stderr }
  })

  // Requests in flight are finished, and then nothing is left to keep the process. The handlers are gone by then, so a
  // second signal does what signals do.
  async function stop (): Promise<void> {
    for (const name of SIGNALS) process.off(name, stop)
    await app.close()
  }
  for (const name of SIGNALS) process.on(name, stop)

  process.stdout.write(greeting(await app.listen({ host: settings.host, port: settings.port }), settings))
}
