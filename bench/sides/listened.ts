import { subscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { OUTCOME_CHANNEL, type StorageAdapter } from 'fastify-if-match'
import { Registry } from 'prom-client'
import { countOutcomes } from '../../example/metrics/count-outcomes.js'
import { guardedApp } from './guarded.js'

/** The plugin with a listener that looks at what it is told, which is the cost of the event itself. */
export async function listenedApp (storage: StorageAdapter): Promise<FastifyInstance> {
  subscribe(OUTCOME_CHANNEL, (message) => {
    if ((message as { outcome: string }).outcome === 'failed') throw new Error('a request failed')
  })
  return await guardedApp(storage)
}

/** The plugin with the counters of the reference server. */
export async function countedApp (storage: StorageAdapter): Promise<FastifyInstance> {
  countOutcomes(new Registry())
  return await guardedApp(storage)
}
