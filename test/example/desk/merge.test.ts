import t from 'tap'
import { isSame, memberOf, objectOf, type Json } from '../../../example/desk/page/model/json.js'
import { markedParts, shownText } from '../../../example/desk/page/model/marks.js'
import { merge, type Side } from '../../../example/desk/page/model/merge.js'

/** What a merge makes, and each field that differs with who changed it. */
function merged (base: Json, theirs: Json, mine: Json, choices: Record<string, Side> = {}) {
  const { merged, fields, open } = merge(base, theirs, mine, choices)
  return [merged, Object.fromEntries(fields.map(({ path, change }) => [path, change])), open]
}

await t.test('merge: edits of different members are both kept, also where a member was added or removed', async (t) => {
  t.strictSame(
    merged({ a: 1, b: { c: 2, d: 3 }, e: 4 }, { a: 9, b: { c: 2 }, e: 4 }, { a: 1, b: { c: 8, d: 3 }, e: 4, f: 5 }),
    [{ a: 9, b: { c: 8 }, e: 4, f: 5 }, { '/a': 'theirs', '/b/c': 'mine', '/b/d': 'theirs', '/f': 'mine' }, []]
  )
})

await t.test('merge: the same edit on both sides is no conflict, and an equal document has no field', async (t) => {
  t.strictSame(merged({ a: 1 }, { a: 2 }, { a: 2 }), [{ a: 2 }, { '/a': 'both' }, []])
  t.strictSame(merged({ a: 1 }, {}, {}), [{}, { '/a': 'both' }, []], 'removed by both')
  t.strictSame(merged({ a: [1] }, { a: [1] }, { a: [1] }), [{ a: [1] }, {}, []])
})

await t.test('merge: a field that both changed is a conflict until one side is chosen', async (t) => {
  const versions = [{ a: 'x', b: 1 }, { a: 'y', b: 1 }, { a: 'z', b: 2 }] as const
  t.strictSame(merged(...versions), [{ a: 'y', b: 2 }, { '/a': 'conflict', '/b': 'mine' }, ['/a']])
  t.strictSame(merged(...versions, { '/a': 'mine' }), [{ a: 'z', b: 2 }, { '/a': 'conflict', '/b': 'mine' }, []])
  t.strictSame(merged(...versions, { '/a': 'theirs' })[0], { a: 'y', b: 2 })
  t.strictSame(merge(...versions, { '/a': 'mine' }).fields[0], {
    path: '/a', base: 'x', theirs: 'y', mine: 'z', change: 'conflict', choice: 'mine'
  })
})

await t.test('merge: one side removed what the other changed: a conflict, and each choice is possible', async (t) => {
  t.strictSame(merged({ a: 1 }, {}, { a: 2 }), [{}, { '/a': 'conflict' }, ['/a']])
  t.strictSame(merged({ a: 1 }, {}, { a: 2 }, { '/a': 'mine' })[0], { a: 2 })
  t.strictSame(merged({ a: { b: 1 } }, { a: { b: 2 } }, {}, { '/a': 'mine' })[0], {})
  t.strictSame(merged({ a: { b: 1 } }, { a: 5 }, { a: { b: 2 } }), [{ a: 5 }, { '/a': 'conflict' }, ['/a']])
})

await t.test('merge: items of a list are known by planId or id, wherever they stand', async (t) => {
  const base = [{ planId: 's', price: 1 }, { planId: 'm', price: 2 }]
  const theirs = [{ planId: 'm', price: 3 }, { planId: 's', price: 1 }, { planId: 'xl' }]
  const mine = [{ planId: 'new/~' }, { planId: 's', price: 9 }, { planId: 'm', price: 2 }]
  t.strictSame(merged(base, theirs, mine), [
    [{ planId: 'm', price: 3 }, { planId: 's', price: 9 }, { planId: 'xl' }, { planId: 'new/~' }],
    { '/planId=m/price': 'theirs', '/planId=s/price': 'mine', '/planId=xl': 'theirs', '/planId=new~1~0': 'mine' },
    []
  ])
  t.strictSame(merged([{ id: 'a' }, { id: 'b' }], [{ id: 'b' }], [{ id: 'a', x: 1 }, { id: 'b' }]), [
    [{ id: 'b' }], { '/id=a': 'conflict' }, ['/id=a']
  ])
  t.strictSame(merged([{ id: 'a' }, { id: 'b' }], [{ id: 'a' }, { id: 'b', x: 1 }], [{ id: 'b' }, { id: 'a' }])[0],
    [{ id: 'b', x: 1 }, { id: 'a' }], 'my order, where the others left theirs')
  const [list] = merged({}, { l: [{ id: 'a' }] }, { l: [{ id: 'b' }] })
  t.strictSame(list, { l: [{ id: 'a' }, { id: 'b' }] }, 'a new list')
})

await t.test('merge: other lists are sequences, and texts are lines; what overlaps is one conflict', async (t) => {
  t.strictSame(merged([1, 2, 3, 4, 5], [0, 2, 3, 4, 5], [1, 2, 3, 4, 6]), [[0, 2, 3, 4, 6], { '': 'merged' }, []])
  t.strictSame(merged(['FI'], ['FI', 'SE'], ['FI', 'DE']), [['FI', 'SE'], { '': 'conflict' }, ['']])
  const item = (b: number) => ({ a: 1, b })
  const [items] = merged([item(1), 2, item(3)], [item(9), 2, { b: 3, a: 1 }], [item(1), 2, item(4)])
  t.strictSame(items, [item(9), 2, item(4)], 'the order of members makes no difference')
  t.strictSame(merged('a\nb\nc', 'A\nb\nc', 'a\nb\nC'), ['A\nb\nC', { '': 'merged' }, []])
  t.strictSame(merged('a', 'b', 'c'), ['b', { '': 'conflict' }, ['']])
  t.strictSame(merged([{ id: 1 }, { id: 1 }], [{ id: 1 }], [{ id: 1 }, { id: 2 }])[2], [''], 'ids that are no names')
})

await t.test('merge: members that JavaScript has a meaning of its own for are members', async (t) => {
  const base = JSON.parse('{"a":1}')
  const theirs = JSON.parse('{"a":1,"__proto__":{"x":1}}')
  const mine = JSON.parse('{"a":1,"toString":2,"constructor":3}')
  const { merged } = merge(base, theirs, mine, {})
  t.equal(JSON.stringify(merged), '{"a":1,"__proto__":{"x":1},"toString":2,"constructor":3}')
  t.equal(({} as { x?: number }).x, undefined)
  t.strictSame(merge({ constructor: 1 }, { constructor: 2 }, { constructor: 3 }, {}).open, ['/constructor'])
})

await t.test('merge: whatever both sides do, a field that only one changed has the value of that one', async (t) => {
  // Every document of two members with these values, as each of the three versions.
  const values = [undefined, 1, 'x', [1], { z: 1 }]
  const documents = values.flatMap((a) => values.map((b) => objectOf([['a', a], ['b', b]])))
  let checked = 0
  for (const base of documents) {
    for (const theirs of documents) {
      for (const mine of documents) {
        const { merged } = merge(base, theirs, mine)
        for (const name of ['a', 'b'] as const) {
          const is = (one: Json, other: Json): boolean => isSame(memberOf(one, name), memberOf(other, name))
          const isRight = (!is(base, theirs) || is(merged, mine)) && (!is(base, mine) || is(merged, theirs))
          if (!isRight) t.fail(JSON.stringify([base, theirs, mine, merged]))
          checked++
        }
      }
    }
  }
  t.equal(checked, 31_250)
})

await t.test('marks: the words that the other text does not have, and a value that is no text as JSON', async (t) => {
  t.strictSame(markedParts('a new big reef', 'a reef'), [
    { text: 'a ', isChanged: false }, { text: 'new big ', isChanged: true }, { text: 'reef', isChanged: false }
  ])
  t.strictSame(markedParts('', 'a'), [])
  t.strictSame(markedParts("Ann's reef", 'Reef DB'), [{ text: "Ann's reef", isChanged: true }], 'one mark, not two')
  t.strictSame(markedParts('a', 'b a c'), [{ text: 'a', isChanged: false }], 'what is missing has no mark')
  t.strictSame(markedParts('a', 'a'), [{ text: 'a', isChanged: false }])
  const long = 'word '.repeat(2000)
  t.strictSame(markedParts(long, 'a'), [{ text: long, isChanged: true }], 'a long text is marked as a whole')
  t.strictSame([shownText(undefined), shownText('a'), shownText({ a: 1 })], ['', 'a', '{\n  "a": 1\n}'])
})
