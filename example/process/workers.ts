import cluster, { type Worker } from 'node:cluster'
import { workerMetrics } from '../metrics/registry.js'
import { serve } from './serve.js'
import type { Settings } from './settings.js'
import { leaveSignalsToPrimary, onSignal } from './signals.js'

const STOP = 'stop'

/**
 * Starts the worker processes, which share one port, and resolves to where they listen; undefined if one of them could
 * not start, or if the server is to stop before all of them did. A worker that ends unasked ends the server, with exit
 * code 1, so that its supervisor starts it again.
 */
export async function startWorkers ({ workers }: Settings): Promise<string | undefined> {
  let isStopping = false
  // A worker that is still starting loses what it is sent, so it is told once it listens.
  const listening = new Set<Worker>()
  const stop = (): void => {
    isStopping = true
    for (const worker of Object.values(cluster.workers!)) if (listening.has(worker!)) worker!.send(STOP)
  }
  onSignal(stop)
  let isStarted = false
  cluster.on('exit', ({ process: { pid } }, code, signal) => {
    if (isStopping) return
    process.exitCode = 1
    // A worker that cannot start says itself why.
    if (isStarted) {
      console.error(`worker ${pid} ended unasked (code ${code}, signal ${signal}), so the server stops`)
    }
    stop()
  })
  cluster.on('exit', (worker) => {
    if (!isStarted) return
    listening.delete(worker)
    // Who waits for the metrics of a worker that died would keep the primary for seconds.
    if (listening.size === 0) process.exit()
  })
  let url: string | undefined
  // One after the other, so that a flaw that stops all of them is told once.
  while (listening.size < workers) {
    const worker = cluster.fork()
    ignoreLostMessages(worker)
    url = await urlOf(worker)
    if (url === undefined) return undefined
    listening.add(worker)
    if (isStopping) {
      worker.send(STOP)
      return undefined
    }
  }
  isStarted = true
  return url
}

/**
 * What is sent to a worker that has just died, such as a question for its metrics, is lost: `exit` follows. A worker
 * that did not begin has no other event.
 */
export function ignoreLostMessages (worker: Worker): void {
  worker.on('error', (error) => { if (worker.process.pid === undefined) throw error })
}

/** Serves as one of the workers. */
export async function serveAsWorker (settings: Settings): Promise<void> {
  leaveSignalsToPrimary()
  if (settings.metrics !== undefined) workerMetrics()
  const { app, url } = await serve(settings)
  // Requests in flight are finished. Then the channel to the primary is all that keeps the process. The primary also
  // asks for metrics.
  process.on('message', function onMessage (message) {
    if (message !== STOP) return
    process.off('message', onMessage)
    void app.close().then(() => { process.disconnect() })
  })
  process.send!(url)
}

/** Where a worker listens, which it says once it does; undefined if it ends before. */
async function urlOf (worker: Worker): Promise<string | undefined> {
  return await new Promise((resolve) => {
    // Another message has the metrics of a worker that is asked for them while it starts.
    worker.on('message', (message) => { if (typeof message === 'string') resolve(message) })
    worker.once('exit', () => { resolve(undefined) })
  })
}
