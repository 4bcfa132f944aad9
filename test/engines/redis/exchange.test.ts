import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { RedisConnection } from '../../../lib/storage/redis/connect.js'
import { RedisExchange } from '../../../lib/storage/redis/exchange.js'
import { skipWithout, skipWithoutOwn } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'
import { calls, DRIVERS, openedAdapter, PATIENT, soon } from '../../support/redis/clients.js'

const ANY = { kind: 'any' } as const
const change = {
  entity: 'e',
  index: undefined,
  key: 'k',
  expectation: ANY,
  write: { version: 'v', json: '1', digest: undefined }
}

/** A connection whose server answers as told, and which notes what was sent. */
function connectionThat (answer: (command: string[]) => unknown) {
  const sent: string[] = []
  let given = 0
  const connection: RedisConnection = {
    isReady: true,
    trouble: undefined,
    open: async () => {},
    async send (_key, command) {
      sent.push(command[0]!)
      const result = await answer(command)
      if (result instanceof Error) throw result
      return result
    },
    giveUp () { given++ },
    close () {}
  }
  return { connection, sent, givenUp: () => given }
}

await t.test('redis: without a connection nothing is sent (E42)', async (t) => {
  const { connection, sent } = connectionThat(() => 1)
  const exchange = new RedisExchange({ ...connection, isReady: false, trouble: new Error('connect ECONNREFUSED') }, 100)
  await t.rejects(exchange.ask('k', ['PING']), { name: 'Error', message: /no connection.*ECONNREFUSED/ })
  t.strictSame(sent, [])
})

await t.test('redis: silence, a replica and a node that was given up end the connection; another error does not (E44)', async (t) => {
  for (const [answer, isOver] of [
    [new Promise(() => {}), 1],
    [new Error('READONLY no'), 1],
    [new Error('The client is closed'), 1],
    [new Error('OOM no'), 0],
    [new Error('Socket closed unexpectedly'), 0]
  ] as const) {
    const { connection, givenUp } = connectionThat(() => answer)
    await t.rejects(new RedisExchange(connection, 20).ask('k', ['PING']))
    t.equal(givenUp(), isOver)
  }
})

await t.test('redis: a script that the server has not seen is sent with its text, and no other failure sends anything again (E46)', async (t) => {
  for (const message of [
    'NOSCRIPT No matching script',
    'LOADING Redis is loading',
    'READONLY no',
    'CLUSTERDOWN no',
    'Connection is closed.',
    'OOM no'
  ]) {
    const { connection, sent } = connectionThat(([name]) => (name === 'EVAL' ? [1, ''] : new Error(message)))
    const exchange = new RedisExchange(connection, 100)
    if (message.startsWith('NOSCRIPT')) t.strictSame(await exchange.change(change), [1, ''])
    else await t.rejects(exchange.change(change), { message })
    t.strictSame(sent, message.startsWith('NOSCRIPT') ? ['EVALSHA', 'EVAL'] : ['EVALSHA'])
  }
})

await t.test('redis: the writes of a turn share one WAIT, which comes after them; a refusal needs no replicas (E48)', async (t) => {
  let replicas: unknown = 2
  const { connection, sent } = connectionThat(([name, , , entity]) =>
    name === 'WAIT' ? replicas : [entity === 'refused' ? 0 : 1, '']
  )
  const exchange = new RedisExchange(connection, 100, { replicas: 2, timeout: 10 })
  const later = Promise.resolve().then(() => {}).then(async () => await exchange.change(change))
  await Promise.all([exchange.change(change), exchange.change(change), later])
  t.strictSame(sent, ['EVALSHA', 'EVALSHA', 'EVALSHA', 'WAIT'])
  for (replicas of [1, new Error('UNBLOCKED'), new Error('Connection is closed.')]) {
    await t.rejects(exchange.change(change), /of 2 replicas/)
    t.strictSame(await exchange.change({ ...change, entity: 'refused' }), [0, ''])
  }
  replicas = 1
  const { connection: fresh, sent: again } = connectionThat(([name]) =>
    name === 'WAIT' ? replicas : name === 'EVAL' ? [1, ''] : new Error('NOSCRIPT No matching script')
  )
  await t.rejects(
    new RedisExchange(fresh, 100, { replicas: 2, timeout: 10 }).change(change),
    /1 of 2 replicas/,
    'a script whose text was sent needs them too'
  )
  t.strictSame(again, ['EVALSHA', 'WAIT', 'EVAL', 'WAIT'])
  const { connection: full } = connectionThat(([name]) => name === 'WAIT' ? 2 : new Error('OOM no'))
  await t.rejects(new RedisExchange(full, 100, { replicas: 2, timeout: 10 }).change(change), { message: 'OOM no' })
})

await t.test('redis: a script cache that is flushed under load loses nothing and fails nothing (E46)', { skip: skipWithout('redis') }, async (t) => {
  const { url } = await startRedis(t, { own: true })
  const server = new Redis(url)
  t.teardown(() => server.disconnect())
  for (const [driver, connect] of Object.entries(DRIVERS)) {
    const adapter = await openedAdapter(t, connect(url))
    const before = await calls([server], 'eval')
    const load = new AbortController()
    const flushing = (async () => {
      while (!load.signal.aborted) {
        await server.call('SCRIPT', 'FLUSH')
        await delay(1)
      }
    })()
    const outcomes = await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
      const applied: boolean[] = []
      for (let round = 0; round < 40; round++) { applied.push((await adapter.write(`${writer}/${round}`, round, { kind: 'absent' })).applied) }
      return applied
    }))
    load.abort()
    await flushing
    t.ok(outcomes.flat().every(Boolean), driver)
    t.ok(await calls([server], 'eval') > before)
  }
})

await t.test('redis: with a replica', { skip: skipWithoutOwn('redis') }, async (t) => {
  const master = await startRedis(t, { own: true })
  const replica = await startRedis(t, { settings: { replicaof: `127.0.0.1 ${new URL(master.url).port}` } })
  const [server, copy] = [new Redis(master.url), new Redis(replica.url)]
  t.teardown(() => { server.disconnect(); copy.disconnect() })
  await server.set('a', '1')
  while (await copy.get('a').catch(() => null) !== '1' || await server.wait(1, 1000) < 1) await delay(20)

  for (const [driver, connect] of Object.entries(DRIVERS)) {
    await t.test(`${driver}: an acknowledged write is on the replica; with the replica stopped it is OUTCOME_UNKNOWN, and reads go on (E48)`, async (t) => {
      const prefix = `${driver}:`
      const adapter = await openedAdapter(t, connect(master.url), { prefix, wait: { replicas: 1, timeout: 300 } })
      for (let round = 0; round < 20; round++) {
        const { version } = await adapter.write('k', round, ANY) as { version: string }
        t.equal(await copy.hget(`${prefix}{k}`, 'version'), version)
      }
      const patient = await openedAdapter(t, connect(master.url), { prefix, wait: { replicas: 1, timeout: PATIENT } })
      replica.pause()
      const outcomes = Promise.allSettled([
        adapter.write('k', 'unknown', ANY),
        adapter.write('l', 'unknown', ANY),
        adapter.write('k', 'refused', { kind: 'absent' })
      ])
      const unknown = { reason: { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: { message: /0 of 1 replicas/ } } }
      t.match(await outcomes, [unknown, unknown, { value: { applied: false } }])
      t.match(await adapter.read('k'), { value: 'unknown' })
      const waiting = patient.write('k', 'waiting', ANY)
      // It is read while its writer waits, and so does not wait behind WAIT.
      while ((await soon(patient.read('k')))?.value !== 'waiting') await delay(5)
      replica.resume()
      t.match(await waiting, { applied: true })
      while (await server.wait(1, 1000) < 1) await delay(20)
      t.match(await adapter.write('k', 'again', ANY), { applied: true })
    })
  }
})
