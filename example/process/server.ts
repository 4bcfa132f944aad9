import cluster from 'node:cluster'
import { isIfMatchError } from 'fastify-if-match'
import { greeting } from './greeting.js'
import { serve } from './serve.js'
import { SettingError } from './setting-error.js'
import { readSettings, type Settings } from './settings.js'
import { onSignal } from './signals.js'
import { serveAsWorker, startWorkers } from './workers.js'

try {
  const settings = readSettings(process.env)
  if (cluster.isWorker) await serveAsWorker(settings)
  else await start(settings)
} catch (error) {
  // What the operator can mend is told in a line.
  console.error(error instanceof SettingError || isIfMatchError(error) ? error.message : error)
  process.exit(1)
}

async function start (settings: Settings): Promise<void> {
  const url = settings.workers > 1 ? await startWorkers(settings) : await startAlone(settings)
  if (url !== undefined) process.stdout.write(greeting(url, settings))
}

async function startAlone (settings: Settings): Promise<string> {
  const { app, url } = await serve(settings)
  // Requests in flight are finished, and then nothing is left to keep the process.
  onSignal(() => { void app.close() })
  return url
}
