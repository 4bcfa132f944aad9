import t from 'tap'
import { MAX_KEY_LENGTH, parseIdempotencyKey } from '../../../lib/http/idempotency-key.js'

await t.test('idempotency-key: one String of Structured Fields (RFC 9651 3.3.3), or the same text without quotes', async (t) => {
  const cases: Array<[value: string, key: string | undefined]> = [
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['"a, b; c"', 'a, b; c'], ['"a\\"b\\\\c"', 'a"b\\c'], [' "a" ', 'a'], ['a/b+c==', 'a/b+c=='], ['*', '*'],
    ['', undefined], ['""', undefined], ['" ', undefined], ['"a', undefined], ['a"', undefined],
    ['a, b', undefined], ['"a", "b"', undefined], ['a,b', undefined], ['a b', undefined], ['"a";p=1', undefined],
    ['a;p=1', undefined], ['"a\\b"', undefined], ['"é"', undefined], ['é', undefined], ['"a\tb"', undefined]
  ]
  for (const [value, key] of cases) t.equal(parseIdempotencyKey(value), key, value)
})

await t.test('idempotency-key: it has at most 255 characters', async (t) => {
  const longest = 'k'.repeat(MAX_KEY_LENGTH)
  t.equal(parseIdempotencyKey(longest), longest)
  t.equal(parseIdempotencyKey(`"${longest}"`), longest)
  t.equal(parseIdempotencyKey(`${longest}k`), undefined)
  t.equal(parseIdempotencyKey(`"${longest}k"`), undefined)
})
