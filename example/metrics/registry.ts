import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { countOutcomes } from './count-outcomes.js'

/** What a page of metrics shows. */
export interface Metrics { contentType: string, text: () => Promise<string> }

/** Begins to measure this process: what became of requests, and what Node.js says of itself. */
export function processMetrics (): Metrics {
  const registry = measured()
  return { contentType: registry.contentType, text: async () => await registry.metrics() }
}

/** Begins to measure a worker process, which tells the primary when that asks. */
export function workerMetrics (): void {
  AggregatorRegistry.setRegistries(measured())
  clusterMetrics() // it begins to listen to the primary
}

/** Those of all workers, added up, for their primary. */
export function clusterMetrics (): Metrics {
  const registry = new AggregatorRegistry()
  return { contentType: registry.contentType, text: async () => await registry.clusterMetrics() }
}

function measured (): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  countOutcomes(registry)
  return registry
}
