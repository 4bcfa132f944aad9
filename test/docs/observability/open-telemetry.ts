import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { metrics, trace } from '@opentelemetry/api'
import { OUTCOME_CHANNEL, type OutcomeMessage } from 'fastify-if-match'

/**
 * Counts what became of each request to a guarded route, measures the storage, and notes both on the span that is
 * active in the request, such as that of `@opentelemetry/instrumentation-http`. Call it once a process, after
 * the SDK was set up: a counter that was made before counts nothing, and says nothing.
 *
 * @returns a function that ends it
 */
export function observeOutcomes (): () => void {
  const meter = metrics.getMeter('fastify-if-match')
  const requests = meter.createCounter('if_match.requests', {
    description: 'Requests to guarded routes, by what became of them.'
  })
  const storage = meter.createHistogram('if_match.storage.duration', {
    description: 'For how long requests to guarded routes waited for the storage.',
    unit: 's'
  })

  const listener = (message: unknown): void => {
    const { route, method, strategy, outcome, attempts, storageTime } = message as OutcomeMessage
    const where = { 'http.route': route, 'http.request.method': method }
    const what = { 'if_match.strategy': strategy, 'if_match.outcome': outcome }
    requests.add(1, { ...where, ...what })
    if (storageTime > 0) storage.record(storageTime / 1000, where)
    trace.getActiveSpan()?.addEvent('if-match', { ...what, 'if_match.attempts': attempts })
  }
  subscribe(OUTCOME_CHANNEL, listener)
  return () => { unsubscribe(OUTCOME_CHANNEL, listener) }
}
