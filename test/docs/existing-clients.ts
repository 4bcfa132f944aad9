import type { FastifyError, FastifyInstance } from 'fastify'
import ifMatch, { type Missing, type RouteRequest, type StorageAdapter } from 'fastify-if-match'

/** A client as the app knows it. Until this time it may write without `If-Match`; undefined: it may not. */
export interface Client { name: string, mayMissUntil?: Date }

/** Guards the routes of an API whose clients send `If-Match` one after the other. Gives who still sends none. */
export async function guard (
  app: FastifyInstance,
  storage: StorageAdapter,
  clientOf: (request: RouteRequest) => Client
): Promise<ReadonlyMap<string, number>> {
  const without = new Map<string, number>()               // or a counter of your metrics, with the client as a label

  await app.register(ifMatch, {
    storage,
    missing (request): Missing {
      const { name, mayMissUntil } = clientOf(request)
      if (mayMissUntil === undefined) return 400          // a new client, and one that has changed already
      without.set(name, (without.get(name) ?? 0) + 1)
      return mayMissUntil > new Date() ? 'allow' : 428
    }
  })

  app.setErrorHandler((error: FastifyError, _request, reply) => {
    if (error.statusCode === 428) {
      error.message += ' Writes without If-Match are no longer accepted: https://api.example.com/docs/if-match'
    }
    return reply.send(error)
  })
  return without
}
