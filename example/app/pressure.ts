import underPressure from '@fastify/under-pressure'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { randomInt } from 'node:crypto'
import { getHeapStatistics } from 'node:v8'
import { ApiError } from './errors.js'
import type { Limits } from './limits.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the process cannot keep up, where that is asked. */
    isOverloaded?: () => boolean
  }
}

/** How long clients are told to wait at most, in seconds: each another time, so that not all come back at once. */
const LONGEST_WAIT = 5

/**
 * Answers 503 at once while this process cannot keep up, as long as a request has not begun: ahead of its token, its
 * body and its handler, so nothing was done. Call it ahead of the other hooks that refuse. Routes outside of this scope
 * are always answered: `/health`, so that nobody takes an overloaded process away from the others, which would get its
 * load, and the page.
 */
export async function refuseUnderPressure (
  api: FastifyInstance,
  { sampleMs = 1000, maxLoopDelayMs = 0, maxLoopPercent = 100, maxHeapPercent = 100 }: Limits
): Promise<void> {
  const heap = oldGeneration(getHeapStatistics().heap_size_limit, process.versions.node)
  let told: number | undefined
  let isMeasured = false
  // What the start did to the event loop is no load: a measurement counts if it began after that.
  api.addHook('onReady', async () => { setTimeout(() => { isMeasured = true }, 2 * sampleMs).unref() })
  await api.register(underPressure, {
    sampleInterval: sampleMs,
    maxEventLoopDelay: maxLoopDelayMs,
    // Of the last sample. The other mode, since the start, would take hours to notice a busy minute.
    eventLoopUtilizationMode: 'interval',
    maxEventLoopUtilization: maxLoopPercent / 100,
    // 0 is no bound.
    maxHeapUsedBytes: maxHeapPercent < 100 ? heap * maxHeapPercent / 100 : 0,
    async pressureHandler (_request, _reply, type, value) {
      if (!isMeasured) return
      // Once a sample: a line for each request would be load of its own.
      if (value !== told) api.log.warn({ measure: type, value }, 'overloaded')
      told = value
      throw overloaded()
    }
  })
  api.decorate('isOverloaded', () => isMeasured && api.isUnderPressure())
}

/**
 * How large the old generation may become, in bytes: where it is full, the process ends (engine-facts#node-heap-limit).
 * In a small container V8 may add less to it for young objects, so at least half of its limit counts.
 *
 * @param limit of the heap, as V8 tells it
 * @param version of Node.js
 */
export function oldGeneration (limit: number, version: string): number {
  const young = Number.parseInt(version) < 24 ? 48 : 192
  return Math.max(limit - young * 2 ** 20, limit / 2)
}

/**
 * Why a request is refused whose body has just arrived, if the process cannot keep up by now; undefined if it can.
 * Otherwise bodies that were sent slowly, or all at one moment, would pass a check that was made minutes ago.
 */
export function overloadedByNow ({ server }: FastifyRequest): ApiError | undefined {
  return server.isOverloaded?.() === true ? overloaded() : undefined
}

function overloaded (): ApiError {
  return new ApiError(
    503,
    'Overloaded',
    'The server cannot keep up, and nothing was done. Send the request again, after the seconds that Retry-After says.',
    { retryAfter: randomInt(1, LONGEST_WAIT + 1) }
  )
}
