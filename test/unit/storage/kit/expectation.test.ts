import t from 'tap'
import { satisfies } from '../../../../lib/storage/kit/expectation.js'

await t.test('satisfies: "version" holds for a version of its list, and for nothing else', async (t) => {
  t.equal(satisfies({ kind: 'version', versions: ['a', 'b'] }, 'b'), true)
  t.equal(satisfies({ kind: 'version', versions: ['a', 'b'] }, 'c'), false)
  t.equal(satisfies({ kind: 'version', versions: ['a', 'b'] }, 'A'), false)
  t.equal(satisfies({ kind: 'version', versions: [] }, 'a'), false)
  t.equal(satisfies({ kind: 'version', versions: ['a'] }, undefined), false)
  t.equal(satisfies({ kind: 'version', versions: [] }, undefined), false)
})

await t.test('satisfies: "exists" holds for any version, and not for an absent entity', async (t) => {
  t.equal(satisfies({ kind: 'exists' }, 'a'), true)
  t.equal(satisfies({ kind: 'exists' }, undefined), false)
})

await t.test('satisfies: "absent" holds for an absent entity alone', async (t) => {
  t.equal(satisfies({ kind: 'absent' }, 'a'), false)
  t.equal(satisfies({ kind: 'absent' }, undefined), true)
})

await t.test('satisfies: "any" holds always', async (t) => {
  t.equal(satisfies({ kind: 'any' }, 'a'), true)
  t.equal(satisfies({ kind: 'any' }, undefined), true)
})

await t.test('satisfies: an empty version is a version', async (t) => {
  t.equal(satisfies({ kind: 'exists' }, ''), true)
  t.equal(satisfies({ kind: 'absent' }, ''), false)
  t.equal(satisfies({ kind: 'version', versions: [''] }, ''), true)
})
