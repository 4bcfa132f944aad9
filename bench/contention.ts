// How often an edit is tried when many edit one entity: `npm run bench:contention`. Clients arrive at random, read,
// think, write under the tag, and after a 412 begin again. Only a client that began after the last success can be the
// next to succeed, so a think time has one success at most, as a queue with one server: 1 / (1 - load) tries are
// expected.
import Fastify from 'fastify'
import { setTimeout as delay } from 'node:timers/promises'
import ifMatch from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'

const THINK_MS = 20
const EDITS = 300
const LOADS = [0.1, 0.3, 0.5, 0.8] // arrivals per think time

const app = Fastify()
await app.register(ifMatch, { storage: memoryAdapter(), create: 'wildcard' })
app.get('/thing', { config: { ifMatch: true } }, async (request) => (await request.entity().read()).value)
app.put(
  '/thing',
  { config: { ifMatch: true } },
  async (request) => (await request.entity().replace(request.body)).value
)

async function put (tag: string) {
  return await app.inject({ method: 'PUT', url: '/thing', headers: { 'if-match': tag }, payload: {} })
}

/** Resolves to how many times it was tried. */
async function edit (): Promise<number> {
  for (let tries = 1; ; tries++) {
    const { headers } = await app.inject('/thing')
    await delay(THINK_MS)
    const { statusCode } = await put(headers.etag!)
    if (statusCode === 200) return tries
    if (statusCode !== 412) throw new Error(`${statusCode} where 200 or 412 was due`)
  }
}

/** The time to the next arrival, where arrivals do not know of each other. */
function pause (perMs: number): number {
  return -Math.log(1 - Math.random()) / perMs
}

await put('*')
console.log('| arrivals per think time | tries expected | tries seen, on average | most |\n| --- | --- | --- | --- |')
for (const load of LOADS) {
  const edits: Array<Promise<number>> = []
  let due = performance.now()
  for (let arrived = 0; arrived < EDITS; arrived++) {
    due += pause(load / THINK_MS)
    await delay(Math.max(0, due - performance.now()))
    edits.push(edit())
  }
  const tries = await Promise.all(edits)
  const mean = tries.reduce((sum, count) => sum + count, 0) / EDITS
  console.log(`| ${load} | ${(1 / (1 - load)).toFixed(2)} | ${mean.toFixed(2)} | ${Math.max(...tries)} |`)
}
await app.close()
