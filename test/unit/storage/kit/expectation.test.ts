import t from 'tap'
import { satisfies } from '../../../../lib/storage/kit/expectation.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../../support/expectations.js'

await t.test('satisfies: "version" holds for a version of its list, and for nothing else', async (t) => {
  t.equal(satisfies(versionIn('a', 'b'), 'b'), true)
  t.equal(satisfies(versionIn('a', 'b'), 'c'), false)
  t.equal(satisfies(versionIn('a', 'b'), 'A'), false)
  t.equal(satisfies(versionIn(), 'a'), false)
  t.equal(satisfies(versionIn('a'), undefined), false)
  t.equal(satisfies(versionIn(), undefined), false)
})

await t.test('satisfies: "exists" holds for any version, and not for an absent entity', async (t) => {
  t.equal(satisfies(EXISTS, 'a'), true)
  t.equal(satisfies(EXISTS, undefined), false)
})

await t.test('satisfies: "absent" holds for an absent entity alone', async (t) => {
  t.equal(satisfies(ABSENT, 'a'), false)
  t.equal(satisfies(ABSENT, undefined), true)
})

await t.test('satisfies: "any" holds always', async (t) => {
  t.equal(satisfies(ANY, 'a'), true)
  t.equal(satisfies(ANY, undefined), true)
})

await t.test('satisfies: an empty version is a version', async (t) => {
  t.equal(satisfies(EXISTS, ''), true)
  t.equal(satisfies(ABSENT, ''), false)
  t.equal(satisfies(versionIn(''), ''), true)
})
