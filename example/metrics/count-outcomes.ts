import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { OUTCOME_CHANNEL, type OutcomeMessage } from 'fastify-if-match'
import { Counter, Histogram, type Registry } from 'prom-client'

const REQUESTS = 'if_match_requests_total'
const LET_THROUGH = 'if_match_let_through_total'
const STORAGE = 'if_match_storage_seconds'

/**
 * Counts what became of each request to a guarded route, and measures the storage. The labels are bounded: a route is
 * its pattern, and never a URL. Once a process is enough, whatever number of apps it has.
 *
 * @returns a function that ends it, and takes the metrics out of the registry
 * @throws what prom-client throws if the registry has them already
 */
export function countOutcomes (registry: Registry): () => void {
  const registers = [registry]
  const requests = new Counter({
    name: REQUESTS,
    help: 'Requests to guarded routes, by what became of them.',
    labelNames: ['route', 'method', 'strategy', 'outcome'],
    registers
  })
  const letThrough = new Counter({
    name: LET_THROUGH,
    help: 'Writes without If-Match that the option missing let through.',
    labelNames: ['route', 'method'],
    registers
  })
  const storage = new Histogram({
    name: STORAGE,
    help: 'For how long requests to guarded routes waited for the storage.',
    labelNames: ['route', 'method'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers
  })

  const listener = (message: unknown): void => {
    const { route, method, strategy, outcome, isLetThrough, storageTime } = message as OutcomeMessage
    requests.inc({ route, method, strategy, outcome })
    if (isLetThrough) letThrough.inc({ route, method })
    if (storageTime > 0) storage.observe({ route, method }, storageTime / 1000)
  }
  subscribe(OUTCOME_CHANNEL, listener)
  return () => {
    unsubscribe(OUTCOME_CHANNEL, listener)
    for (const name of [REQUESTS, LET_THROUGH, STORAGE]) registry.removeSingleMetric(name)
  }
}
