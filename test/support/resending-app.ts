import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import type { IfMatchRouteOptions, StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { offersApp } from './offers-app.js'

/** Who sends a request says so in a header of these tests. */
export const resend = { caller: ({ headers }: FastifyRequest) => String(headers['x-user'] ?? 'ada') }

/** Offers whose writes may be sent again. `prepare` adds routes, with their config. */
export async function resendingApp (
  t: Test,
  options: IfMatchRouteOptions = {},
  prepare?: (app: FastifyInstance, config: { ifMatch: IfMatchRouteOptions }) => unknown
) {
  const calls: string[] = []
  const memory = memoryAdapter({ around: (step, operation) => { calls.push(operation); return step() } })
  const storage: StorageAdapter = options.storage ?? memory
  const config = { ifMatch: { key: '/offers/:id', resend, ...options } }
  const { app } = await offersApp(t, { storage, resend, ...options }, (app) => prepare?.(app, config))
  return { app, storage, calls, version: async () => (await storage.read('/offers/1'))?.version }
}
