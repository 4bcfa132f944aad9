import { inspect } from 'node:util'
import t from 'tap'
import { parseStored } from '../../../../lib/storage/kit/stored-json.js'

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
