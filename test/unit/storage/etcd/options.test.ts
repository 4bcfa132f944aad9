import { inspect } from 'node:util'
import t from 'tap'
import { settingsOf, type EtcdAdapterOptions } from '../../../../lib/storage/etcd/options.js'

const endpoints = 'http://127.0.0.1:2379'

await t.test('etcd-options: one endpoint is enough, and the rest has defaults', async (t) => {
  t.strictSame(settingsOf({ endpoints }), {
    endpoints: [endpoints],
    tls: undefined,
    auth: undefined,
    prefix: 'entities/',
    timeout: 5000,
    maxRequestBytes: 1_572_864,
    epoch: ''
  })
})

await t.test('etcd-options: several endpoints are taken in their order, with or without a slash', async (t) => {
  t.strictSame(settingsOf({ endpoints: ['https://a:2379/', 'http://[::1]:2379'], tls: {} }).endpoints, [
    'https://a:2379',
    'http://[::1]:2379'
  ])
})

await t.test('etcd-options: wrong options are refused, naming the option and not its value', async (t) => {
  const noEndpoints = [
    undefined, '', [], 1, 'a:2379', 'ftp://a', 'http://a/v3', 'http://a/?b', 'http://u:secret@a', [endpoints, 'x'],
    [[[endpoints]]]
  ]
  const wrong: Array<[object, RegExp]> = [
    ...noEndpoints.map((endpoints): [object, RegExp] => [{ endpoints }, /"endpoints"/]),
    [{ endpoints, tls: {} }, /"tls"/],
    [{ endpoints, tls: null }, /"tls"/],
    ...[null, {}, { user: 'u' }, { user: '', password: 'secret' }, { user: 1, password: 'secret' }].map(
      (auth): [object, RegExp] => [{ endpoints, auth }, /"auth"/]
    ),
    ...['', 1, 'a\0', '\ud800'].map((prefix): [object, RegExp] => [{ endpoints, prefix }, /"prefix"/]),
    ...[0, -1, NaN, Infinity, '5'].flatMap((number): Array<[object, RegExp]> => [
      [{ endpoints, timeout: number }, /"timeout"/],
      [{ endpoints, maxRequestBytes: number }, /"maxRequestBytes"/]
    ]),
    ...[1, 'a.b', 'a"', 'x'.repeat(33)].map((epoch): [object, RegExp] => [{ endpoints, epoch }, /"epoch"/]),
    [{ endpoints, user: 'secret' }, /no option "user"\. Use "endpoints", "tls", "auth", "prefix", "timeout",/],
    [{ endpoint: endpoints }, /"endpoints"/]
  ]
  for (const [options, message] of [...wrong, [undefined, /"endpoints"/]] as const) {
    let thrown: unknown
    try { settingsOf(options as EtcdAdapterOptions) } catch (error) { thrown = error }
    t.match(thrown, { code: 'FST_IF_MATCH_INVALID_OPTIONS', message }, inspect(options))
    t.notMatch(inspect(thrown), /secret/)
  }
})
