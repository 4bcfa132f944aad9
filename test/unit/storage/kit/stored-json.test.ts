import { inspect } from 'node:util'
import t from 'tap'
import { parseStored, storedText } from '../../../../lib/storage/kit/stored-json.js'
import { assertDamaged } from '../../../support/damaged.js'

await t.test('parseStored: JSON text becomes its value', async (t) => {
  t.strictSame(parseStored('{"a":[1,null,"\\u0000"]}', 'unused'), { a: [1, null, '\0'] })
})

await t.test('parseStored: damaged text is a fault of the storage, and no outage, with the complaint as its cause, and no error quotes the text', async (t) => {
  try {
    parseStored('{"card":"4111 1111"', 'Engine: a stored value is not JSON.')
    t.fail('parsed')
  } catch (error) {
    const cause = { message: 'Engine: a stored value is not JSON.' }
    t.match(error, { code: 'FST_IF_MATCH_STORAGE_FAULT', cause })
    t.notMatch(inspect(error), /4111/)
  }
})

await t.test('storedText: the value is parsed when it is first asked for, once, and is the caller\'s to change', async (t) => {
  const parse = t.capture(JSON, 'parse', JSON.parse)
  const stored = storedText<{ a: number[] }>('{"a":[1]}', { version: 'v', replaced: 'u', digest: 'd' }, 'unused')
  t.strictSame(Object.keys(stored).sort(), ['digest', 'json', 'replaced', 'value', 'version'])
  t.ok('value' in stored)
  t.match(stored, { json: '{"a":[1]}', version: 'v', replaced: 'u', digest: 'd' })
  parse()
  const other = storedText<{ a: number[] }>('{"a":[1]}', { version: 'v' }, 'unused')
  t.equal(parse().length, 0)
  other.value.a.push(2)
  t.strictSame(other.value, { a: [1, 2] })
  t.equal(parse().length, 1)
  other.value = { a: [] }
  t.strictSame({ ...other }.value, { a: [] }, 'a copy has the value')
  t.strictSame({ ...storedText('null', { version: 'v' }, 'unused') }.value, null)
})

await t.test('storedText: damaged text is a fault where the value is asked for, each time, and no error quotes the text', async (t) => {
  const stored = storedText('a secret', { version: 'v' }, 'Engine: a stored value is not JSON.')
  t.equal(stored.version, 'v')
  assertDamaged(t, stored, /^Engine: a stored value is not JSON\.$/)
  assertDamaged(t, stored, /^Engine: a stored value is not JSON\.$/)
})
