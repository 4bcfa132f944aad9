import t from 'tap'
import { parsed, sameJson } from '../../../lib/client/json.js'

await t.test('sameJson: values of JSON are the same by what they say, whatever the order of members', async (t) => {
  const same: Array<[unknown, unknown]> = [
    [1, 1], ['a', 'a'], [null, null], [[], []], [{}, {}], [{ a: 1, b: [2, { c: null }] }, { b: [2, { c: null }], a: 1 }]
  ]
  for (const [one, other] of same) t.equal(sameJson(one, other), true, JSON.stringify(one))
  const different: Array<[unknown, unknown]> = [
    [1, 2], [1, '1'], [null, {}], [{}, null], [[], {}], [{}, []], [[1, 2], [2, 1]], [[1], [1, 2]], [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { a: 1, b: 1 }], [{ a: 1, b: 1 }, { a: 1 }], [{ a: 1 }, { b: 1 }], [0, null], [false, null],
    [{ toString: 1 }, { valueOf: 1 }], [{ a: { b: 1 } }, { a: { b: 2 } }]
  ]
  for (const [one, other] of different) {
    t.equal(sameJson(one, other), false, `${JSON.stringify(one)} and ${JSON.stringify(other)}`)
  }
  t.equal(sameJson(JSON.parse('{"__proto__":{}}'), { a: {} }), false, 'a member is not taken from the prototype')
})

await t.test('a text that is no JSON says nothing', async (t) => {
  t.same(parsed('{"a":1}'), { a: 1 })
  for (const text of [undefined, '', '{', 'undefined']) t.equal(parsed(text), undefined)
})
