import { inspect } from 'node:util'
import t from 'tap'
import { sealed, unsealed } from '../../../../lib/storage/etcd/envelope.js'

await t.test('etcd-envelope: a sealed value comes back', async (t) => {
  for (const value of [
    null,
    0,
    -0.5,
    1e21,
    '',
    'U+0000 \0 and a lone \ud800',
    [1, [2]],
    { a: { b: '}' }, value: 1, marker: 'x' }
  ]) {
    for (const digest of [undefined, 'd"1', '', '\\', '","value":1', '\u2028\0']) {
      const envelope = { marker: 'm', digest, json: JSON.stringify(value) }
      t.strictSame(unsealed(sealed({ marker: 'm', digest, value })), envelope)
    }
  }
})

await t.test('etcd-envelope: a value that JSON cannot carry is refused', async (t) => {
  for (const value of [undefined, NaN, new Date(0)]) {
    t.throws(() => sealed({ marker: 'm', value }), { code: 'FST_IF_MATCH_NOT_JSON' })
  }
  t.throws(() => sealed({ marker: 'm', value: Infinity }), { code: 'FST_IF_MATCH_INVALID_VALUE' })
})

await t.test('etcd-envelope: a value that somebody else wrote is a fault of the storage, and no error quotes it', async (t) => {
  for (const text of [
    '',
    'a secret',
    'null',
    '1',
    '"secret"',
    '{"value":"secret"}',
    '{"marker":1,"value":"secret"}',
    '{"marker":"secret"}',
    '{"marker":"secret","value":"secret"',
    '{"marker":"secret","digest":1,"value":"secret"}',
    '{"digest":"secret","marker":"secret","value":1}',
    ' {"marker":"m","value":"secret"}'
  ]) {
    let thrown: unknown
    try {
      unsealed(text)
    } catch (error) {
      thrown = error
    }
    t.match(thrown, { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message: /prefix/ } }, text)
    t.notMatch(inspect(thrown, { depth: 9 }), /secret/)
  }
})
