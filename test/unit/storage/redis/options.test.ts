import t from 'tap'
import { settingsOf, type RedisAdapterOptions } from '../../../../lib/storage/redis/options.js'
import { DRIVERS } from '../../../support/redis/clients.js'

const client = DRIVERS.ioredis('redis://127.0.0.1')

await t.test('redis: only the client is required, and the rest has defaults', async (t) => {
  t.strictSame(settingsOf({ client }), { client, prefix: 'if-match:', list: false, timeout: 5000, wait: undefined })
})

await t.test('redis: wrong options are refused', async (t) => {
  const wrong: Array<[options: object, message: RegExp]> = [
    ...[1, 'a{b', '\ud800'].map((prefix): [object, RegExp] => [{ prefix }, /"prefix"/]),
    ...[true, 'all'].map((list): [object, RegExp] => [{ list }, /"list"/]),
    ...[0, '1', Infinity].map((timeout): [object, RegExp] => [{ timeout }, /"timeout"/]),
    ...[
      null,
      {},
      { replicas: 0, timeout: 1 },
      { replicas: 1, timeout: 0 },
      { replicas: 1, timeout: 1.5 }
    ].map((wait): [object, RegExp] => [{ wait }, /"wait"/]),
    [{ prefixes: 'a' }, /no option "prefixes"\. Did you mean "prefix"/]
  ]
  for (const [options, message] of wrong) {
    t.throws(
      () => settingsOf({ client, ...options } as RedisAdapterOptions),
      { code: 'FST_IF_MATCH_INVALID_OPTIONS', message },
      JSON.stringify(options)
    )
  }
})
