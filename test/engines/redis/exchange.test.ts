import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { ABSENT, ANY } from '../../support/expectations.js'
import {
  DRIVERS,
  lookingAt,
  LONG_TIMEOUT,
  openedAdapter,
  soon
} from '../../support/redis/clients.js'
import { countingRuns } from '../../support/redis/counting-runs.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'
import { uniqueName } from '../../support/services/service.js'
import { until } from '../../support/until.js'

await t.test('redis: a script cache that is flushed under load loses nothing and fails nothing', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t, { own: true })
  const server = lookingAt(t, url)
  for (const [driver, connect] of Object.entries(DRIVERS)) {
    const prefix = `${uniqueName()}:`
    const adapter = await openedAdapter(t, connect(url), { prefix })
    const runs = await countingRuns(t, url, 'eval', prefix)
    const load = new AbortController()
    const flushing = (async () => {
      while (!load.signal.aborted) {
        await server.call('SCRIPT', 'FLUSH')
        await delay(1)
      }
    })()
    const outcomes = await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
      const applied: boolean[] = []
      for (let round = 0; round < 40; round++) {
        applied.push((await adapter.write(`${writer}/${round}`, round, ABSENT)).applied)
      }
      return applied
    }))
    load.abort()
    await flushing
    t.ok(outcomes.flat().every(Boolean), driver)
    t.ok(await runs() > 0)
  }
})

await t.test('redis: with a replica an acknowledged write is on the replica; with the replica stopped it is OUTCOME_UNKNOWN, and reads go on', { skip: skipWithoutOwn('redis') }, async (t) => {
  // Otherwise the first copy is sent after five seconds.
  const master = await startRedis(t, { settings: { 'repl-diskless-sync-delay': '0' } })
  const replica = await startRedis(t, { settings: { replicaof: `127.0.0.1 ${new URL(master.url).port}` } })
  const [server, copy] = [lookingAt(t, master.url), lookingAt(t, replica.url)]
  await server.set('a', '1')
  await until('the replica has a copy', async () => await copy.get('a').catch(() => null) === '1')
  await until('the replica confirms writes', async () => await server.wait(1, 100) >= 1)

  const stands = await Promise.all(Object.entries(DRIVERS).map(async ([driver, connect]) => {
    const prefix = `${driver}:`
    const opened = async (timeout: number) =>
      await openedAdapter(t, connect(master.url), { prefix, wait: { replicas: 1, timeout } })
    return { driver, prefix, adapter: await opened(300), patient: await opened(LONG_TIMEOUT) }
  }))
  for (const { prefix, adapter } of stands) {
    for (let round = 0; round < 20; round++) {
      const { version } = await adapter.write('k', round, ANY) as { version: string }
      t.equal(await copy.hget(`${prefix}{k}`, 'version'), version)
    }
  }

  replica.pause()
  await Promise.all(stands.map(async ({ driver, adapter }) => {
    const outcomes = await Promise.allSettled([
      adapter.write('k', 'unknown', ANY),
      adapter.write('l', 'unknown', ANY),
      adapter.write('k', 'refused', ABSENT)
    ])
    const unknown = { reason: { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: { message: /0 of 1 replicas/ } } }
    t.match(outcomes, [unknown, unknown, { value: { applied: false } }], driver)
    t.match(await adapter.read('k'), { value: 'unknown' })
  }))
  const waiting = await Promise.all(stands.map(async ({ patient }) => {
    const writing = patient.write('k', 'waiting', ANY)
    // The value is read while the writers wait, so the read does not wait behind WAIT. A read before proves nothing.
    await until('all writers wait', async () => {
      const [, blocked] = /blocked_clients:(\d+)/.exec(await server.info('clients')) ?? []
      return Number(blocked) >= stands.length
    })
    await until('the value is read', async () => (await soon(patient.read('k')))?.value === 'waiting')
    return { writing }
  }))

  replica.resume()
  for (const { writing } of waiting) t.match(await writing, { applied: true })
  await until('the replica confirms writes', async () => await server.wait(1, 100) >= 1)
  for (const { adapter } of stands) t.match(await adapter.write('k', 'again', ANY), { applied: true })
})
