import { subscribe } from 'node:diagnostics_channel'
import { OUTCOME_CHANNEL, type OutcomeMessage, type RouteRequest } from 'fastify-if-match'

/** Counts the writes without `If-Match` that `missing: 'warn'`, or `'allow'`, let through, by client. */
export function countWithoutIfMatch (clientOf: (request: RouteRequest) => string): ReadonlyMap<string, number> {
  const without = new Map<string, number>()
  subscribe(OUTCOME_CHANNEL, (message) => {
    const { isLetThrough, request } = message as OutcomeMessage
    if (!isLetThrough) return
    const client = clientOf(request)
    without.set(client, (without.get(client) ?? 0) + 1)
  })
  return without
}
