import Fastify from 'fastify'
import { setTimeout as delay } from 'node:timers/promises'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'

/** One entity that many edit. */
export interface Thing {
  /** Reads, thinks, and writes under the tag that was read. Resolves to whether the write was applied. */
  edit (thinkMs: number): Promise<boolean>
  close (): Promise<void>
}

export async function makeThing (): Promise<Thing> {
  const app = Fastify()
  await app.register(ifMatch, { storage: memoryAdapter(), create: 'wildcard' })
  const config = { ifMatch: true }
  app.get('/thing', { config }, async (request) => (await request.entity().read()).value)
  app.put('/thing', { config }, async (request) => (await request.entity().replace(request.body)).value)
  const put = async (tag: string): Promise<number> =>
    (await app.inject({ method: 'PUT', url: '/thing', headers: { 'if-match': tag }, payload: {} })).statusCode
  await put('*')
  return {
    async edit (thinkMs) {
      const { headers } = await app.inject('/thing')
      await delay(thinkMs)
      const status = await put(headers.etag!)
      if (status !== 200 && status !== 412) throw new Error(`${status} where 200 or 412 was due.`)
      return status === 200
    },
    close: () => app.close()
  }
}

/** A time that knows nothing of the others, as arrivals and think times are. */
export function randomTime (mean: number): number {
  return -Math.log(1 - Math.random()) * mean
}
