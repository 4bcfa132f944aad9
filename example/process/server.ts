import cluster from 'node:cluster'
import { isIfMatchError } from 'fastify-if-match'
import { clusterMetrics, processMetrics } from '../metrics/registry.js'
import { SettingError } from '../storage/setting-error.js'
import { greeting } from './greeting.js'
import { mistypedSettings } from './mistyped.js'
import { serve } from './serve.js'
import { readSettings, type Settings } from './settings.js'
import { onSignal } from './signals.js'
import { startMetrics } from './start-metrics.js'
import { serveAsWorker, startWorkers } from './workers.js'

try {
  // The primary tells it once for all workers, and ahead of a refusal that it may explain.
  if (cluster.isPrimary) for (const warning of mistypedSettings(process.env)) console.error(warning)
  const settings = readSettings(process.env)
  if (cluster.isWorker) await serveAsWorker(settings)
  else await start(settings)
} catch (error) {
  // One line tells the operator what to change. Any other error is a bug, and is told whole.
  console.error(error instanceof SettingError || isIfMatchError(error) ? error.message : error)
  process.exit(1)
}

async function start (settings: Settings): Promise<void> {
  const isAlone = settings.workers === 1
  const metrics = await startMetrics(settings, isAlone ? processMetrics : clusterMetrics)
  const url = isAlone ? await startAlone(settings) : await startWorkers(settings)
  if (url !== undefined) process.stdout.write(greeting(url, settings, metrics))
}

async function startAlone (settings: Settings): Promise<string> {
  const { app, url } = await serve(settings)
  // Requests in flight are finished. Then nothing is left that keeps the process.
  onSignal(() => { void app.close() })
  return url
}
