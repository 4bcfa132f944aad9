import t from 'tap'
import { hasValue, needsNoValue, withoutValue } from '../../../../lib/storage/kit/unless.js'

await t.test('needsNoValue: the caller needs no value of a version that it names, and of none under "*"', async (t) => {
  t.equal(needsNoValue(undefined, 'v'), false)
  t.equal(needsNoValue({}, 'v'), false)
  t.equal(needsNoValue({ unless: [] }, 'v'), false)
  t.equal(needsNoValue({ unless: ['u', 'w'] }, 'v'), false)
  t.equal(needsNoValue({ unless: ['u', 'v'] }, 'v'), true)
  t.equal(needsNoValue({ unless: '*' }, 'v'), true)
  t.equal(needsNoValue({ unless: ['*'] }, 'v'), false, 'a version may be called so')
})

await t.test('hasValue: an entity without the member has no value; an accessor is not asked', async (t) => {
  t.equal(hasValue(withoutValue({ version: 'v' })), false)
  t.equal(hasValue({ version: 'v', value: undefined }), true)
  t.equal(hasValue({ version: 'v', get value () { return t.fail('asked') } }), true)
})
