import t from 'tap'
import type { RedisConnection } from '../../../../lib/storage/redis/connection.js'
import { RedisExchange } from '../../../../lib/storage/redis/exchange.js'
import { readUnlessCallOf } from '../../../../lib/storage/redis/script.js'
import { ANY } from '../../../support/expectations.js'

const change = {
  entity: 'e',
  index: undefined,
  key: 'k',
  expectation: ANY,
  write: { version: 'v', json: '1', digest: undefined }
}
const NOSCRIPT = new Error('NOSCRIPT No matching script')

/** A connection whose server answers as told, and which notes what was sent. */
function connectionThat (answer: (command: string[]) => unknown) {
  const sent: string[] = []
  let givenUp = 0
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
    giveUp () { givenUp++ },
    close () {}
  }
  return { connection, sent, givenUp: () => givenUp }
}

await t.test('redis: without a connection nothing is sent', async (t) => {
  const { connection, sent } = connectionThat(() => 1)
  const exchange = new RedisExchange({ ...connection, isReady: false, trouble: new Error('connect ECONNREFUSED') }, 100)
  await t.rejects(exchange.ask('k', ['PING']), { name: 'Error', message: /no connection.*ECONNREFUSED/ })
  t.strictSame(sent, [])
})

await t.test('redis: a command is alone if no other one waits for its answer', async (t) => {
  const told: unknown[] = []
  const { connection } = connectionThat(([name]) => name === 'FAIL' ? new Error('OOM no') : 1)
  const { send } = connection
  const watched: RedisConnection = {
    ...connection,
    async send (key, command, isAlone) {
      told.push(isAlone)
      return await send(key, command)
    }
  }
  const exchange = new RedisExchange(watched, 100)
  await Promise.all([exchange.ask('k', ['PING']), exchange.ask('k', ['PING'])])
  await t.rejects(exchange.ask('k', ['FAIL']), /OOM/)
  await exchange.ask('k', ['PING'])
  t.strictSame(told, [true, false, true, true])
})

await t.test('redis: silence, a replica and a node that the driver gave up end the connection; another error does not', async (t) => {
  for (const [answer, times] of [
    [new Promise(() => {}), 1],
    [new Error('READONLY no'), 1],
    [new Error('The client is closed'), 1],
    [new Error('OOM no'), 0],
    [new Error('Socket closed unexpectedly'), 0]
  ] as const) {
    const { connection, givenUp } = connectionThat(() => answer)
    await t.rejects(new RedisExchange(connection, 20).ask('k', ['PING']))
    t.equal(givenUp(), times)
  }
})

await t.test('redis: a script that the server has not seen is sent with its text, and no other failure sends anything again', async (t) => {
  for (const message of [
    'LOADING Redis is loading',
    'READONLY no',
    'CLUSTERDOWN no',
    'Connection is closed.',
    'OOM no'
  ]) {
    const { connection, sent } = connectionThat(() => new Error(message))
    await t.rejects(new RedisExchange(connection, 100).change(change), { message })
    t.strictSame(sent, ['EVALSHA'])
  }
  const { connection, sent } = connectionThat(([name]) => name === 'EVAL' ? [1, ''] : NOSCRIPT)
  t.strictSame(await new RedisExchange(connection, 100).change(change), [1, ''])
  t.strictSame(sent, ['EVALSHA', 'EVAL'])
  t.strictSame(await new RedisExchange(connection, 5000).askScript('k', readUnlessCallOf('k', ['v'])), [1, ''])
  t.strictSame(sent, ['EVALSHA', 'EVAL', 'EVALSHA', 'EVAL'])
})

await t.test('redis: an answer that is not one of the script leaves the outcome open, by its hash and by its text', async (t) => {
  for (const answer of ['QUEUED', 'OK', null, [], [2, ''], 1]) {
    for (const name of ['EVALSHA', 'EVAL']) {
      const { connection } = connectionThat(([sent]) => sent === name ? answer : NOSCRIPT)
      await t.rejects(new RedisExchange(connection, 100).change(change), /did not carry the command out at once/)
    }
  }
})

await t.test('redis: the writes of a turn share one WAIT, which comes after them; a refusal needs no replicas', async (t) => {
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
})

await t.test('redis: a script whose text was sent needs the replicas, too', async (t) => {
  const { connection, sent } = connectionThat(([name]) => name === 'WAIT' ? 1 : name === 'EVAL' ? [1, ''] : NOSCRIPT)
  const exchange = new RedisExchange(connection, 100, { replicas: 2, timeout: 10 })
  await t.rejects(exchange.change(change), /1 of 2 replicas/)
  t.strictSame(sent, ['EVALSHA', 'WAIT', 'EVAL', 'WAIT'])
})

await t.test('redis: a write that the server refused is refused, however many replicas answer', async (t) => {
  const { connection } = connectionThat(([name]) => name === 'WAIT' ? 2 : new Error('OOM no'))
  const exchange = new RedisExchange(connection, 100, { replicas: 2, timeout: 10 })
  await t.rejects(exchange.change(change), { message: 'OOM no' })
})
