import Fastify from 'fastify'
import type { Test } from 'tap'
import ifMatch, { type StorageAdapter } from 'fastify-if-match'
import { UNAVAILABLE } from './network-faults.js'
import type { Service } from './services/service.js'
import { until } from './until.js'

/**
 * Kills and restarts the server of an adapter: each request is 503 with Retry-After meanwhile, and succeeds again when
 * the server is back.
 *
 * @returns how many requests it took until then
 */
export async function assertOutageIs503 (t: Test, service: Service, storage: StorageAdapter): Promise<number> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(ifMatch, { storage, create: 'wildcard' })
  app.put(
    '/offers/:id',
    { config: { ifMatch: true } },
    async (request) => (await request.entity().replace(request.body)).value
  )
  app.get('/offers/:id', { config: { ifMatch: true } }, async (request) => (await request.entity().read()).value)
  const put = async (etag: string, payload: object) =>
    await app.inject({ method: 'PUT', url: '/offers/1', headers: { 'if-match': etag }, payload })
  const { etag } = (await put('*', { a: 1 })).headers
  await service.kill()
  for (const answer of [await put('*', { a: 2 }), await app.inject('/offers/1'), await put(etag as string, {})]) {
    t.equal(answer.statusCode, 503)
    t.ok(answer.headers['retry-after'])
    t.equal(answer.json().code, UNAVAILABLE)
  }
  await service.restart()
  let requests = 0
  const back = await until('the server is back', async () => {
    requests++
    const answer = await app.inject('/offers/1')
    return answer.statusCode === 200 && answer
  })
  t.equal(back.headers.etag, etag)
  t.equal((await put('*', { a: 3 })).statusCode, 200)
  return requests
}
