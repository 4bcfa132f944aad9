import t from 'tap'
import { inspect } from 'node:util'
import { storedOf } from '../../../../lib/storage/redis/entity.js'

await t.test('redis: what is stored comes back; empty and null stand for what there is not', async (t) => {
  t.strictSame(storedOf(['v', '{"a":1}', '', 'null']), {
    value: { a: 1 },
    version: 'v',
    replaced: undefined,
    digest: undefined
  })
  t.strictSame(storedOf(['v', 'null', 'u', '"null"']), { value: null, version: 'v', replaced: 'u', digest: 'null' })
  t.strictSame(storedOf(['v', '1', '', '""'])?.digest, '')
  t.equal(storedOf([null, null, null, null]), undefined)
  t.equal(storedOf([]), undefined)
})

await t.test('redis: a damaged entity is an outage and never an absence, and its content is in no error (E46)', async (t) => {
  for (const fields of [
    ['v', 'a secret', '', 'null'],
    [null, '1', '', 'null'],
    ['v', null, '', 'null'],
    ['v', '1', null, null],
    ['v', '1', '', 'a secret']
  ]) {
    let error: unknown
    try {
      storedOf(fields)
    } catch (thrown) {
      error = thrown
    }
    t.match(error, { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE', cause: { message: /damaged/ } })
    t.notMatch(inspect(error, { depth: 9 }), /secret/)
  }
})
