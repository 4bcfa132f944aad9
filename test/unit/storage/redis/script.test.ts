import t from 'tap'
import { inspect } from 'node:util'
import { callOf, evalCommandOf, replyOf, storedOf } from '../../../../lib/storage/redis/script.js'
import { assertDamaged } from '../../../support/damaged.js'
import { ANY, versionIn } from '../../../support/expectations.js'

await t.test('redis: the script gets the index where the key has one, and the versions that are expected', async (t) => {
  const about = { entity: 'e', key: 'k' }
  const removal = callOf({ ...about, index: undefined, expectation: versionIn('a', 'b') })
  t.strictSame(evalCommandOf(removal).slice(2), ['1', 'e', 'remove', 'k', '', '', 'null', 'version', 'a', 'b'])
  const write = callOf({
    ...about,
    index: 'i',
    expectation: ANY,
    write: { version: 'v', json: '1', digest: 'd' }
  })
  t.strictSame(write.evalsha.slice(2), ['2', 'e', 'i', 'write', 'k', 'v', '1', '"d"', 'any'])
})

await t.test('redis: an entity comes back as it was stored; an empty text and null stand for a missing field', async (t) => {
  t.strictSame({ ...storedOf(['v', '{"a":1}', '', 'null']) }, {
    value: { a: 1 },
    version: 'v',
    replaced: undefined,
    digest: undefined
  })
  t.equal(storedOf(['v', '{"a":1}', '', 'null'])?.json, '{"a":1}')
  const full = { value: null, version: 'v', replaced: 'u', digest: 'null' }
  t.strictSame({ ...storedOf(['v', 'null', 'u', '"null"']) }, full)
  t.strictSame(storedOf(['v', '1', '', '""'])?.digest, '')
  t.equal(storedOf([null, null, null, null]), undefined)
  t.equal(storedOf([]), undefined)
})

await t.test('redis: an entity without its value has no text to send in its place, and the value is a fault', async (t) => {
  for (const value of [null, undefined]) {
    const stored = storedOf(['v', value, '', 'null'])
    t.equal(stored?.json, undefined)
    assertDamaged(t, stored, /damaged/)
  }
})

await t.test('redis: a damaged value is a fault of the storage where it is asked for', async (t) => {
  for (const value of ['a secret', null]) {
    assertDamaged(t, storedOf(['v', value, '', 'null']), /damaged/)
    const facts = { version: 'v', replaced: undefined, digest: 'd' }
    t.strictSame(storedOf(['v', value, '', '"d"'], { unless: ['v'] }), facts)
  }
})

await t.test('redis: a damaged entity is a fault of the storage and never an absence, and no error quotes its content', async (t) => {
  for (const fields of [
    [null, '1', '', 'null'],
    [null, null, '', 'null'],
    [null, null, null, 'a secret'],
    ['v', '1', null, null],
    ['v', '1', '', 'a secret']
  ]) {
    let error: unknown
    try {
      storedOf(fields)
    } catch (thrown) {
      error = thrown
    }
    t.match(error, { code: 'FST_IF_MATCH_STORAGE_FAULT', cause: { message: /damaged/ } })
    t.notMatch(inspect(error, { depth: 9 }), /secret/)
  }
})

await t.test('redis: an answer of another shape, such as the QUEUED of an open MULTI, is neither an outcome nor an entity', async (t) => {
  for (const answer of ['QUEUED', 'OK', null, undefined, 1]) {
    t.throws(() => replyOf(answer), /did not carry the command out at once/)
    t.throws(() => storedOf(answer), /did not carry the command out at once/)
  }
  for (const answer of [[], [2, ''], ['1', '']]) t.throws(() => replyOf(answer), /at once/)
  t.strictSame(replyOf([1, '']), [1, ''])
  t.strictSame(replyOf([0, null, null, null, null]), [0, null, null, null, null])
})
