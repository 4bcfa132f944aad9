import { runInNewContext } from 'node:vm'
import t from 'tap'
import { copyJson, jsonText } from '../../../../lib/storage/kit/json.js'

function nested (levels: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { in: value }
  return value
}

await t.test('copyJson: a copy is equal, and shares no object with what was copied', async (t) => {
  const value = { a: [1, 'b', true, false, null, { c: [] }], d: {}, '': '\ud800\0' }
  const copy = copyJson(value)
  t.strictSame(copy, value)
  t.not(copy, value)
  t.not(copy.a, value.a)
  t.not(copy.a[5], value.a[5])
  t.not(copy.d, value.d)
})

await t.test('copyJson: scalars are themselves', async (t) => {
  const scalars = [null, true, false, '', 'a', 0, -1, 0.1, 1e308, Number.MAX_SAFE_INTEGER]
  for (const value of scalars) t.equal(copyJson(value), value)
})

await t.test('copyJson: an object that occurs twice becomes two objects', async (t) => {
  const shared = { a: 1 }
  const copy = copyJson([shared, shared])
  t.strictSame(copy, [{ a: 1 }, { a: 1 }])
  t.not(copy[0], copy[1])
})

await t.test('copyJson: properties that are undefined, inherited, hidden or symbols are left out, as in JSON', async (t) => {
  const value = Object.defineProperty({ a: 1, b: undefined, [Symbol('c')]: 2 }, 'd', { value: 3, enumerable: false })
  t.strictSame(Object.keys(copyJson(value)), ['a'])
})

await t.test('copyJson: __proto__ is a property like any other, and changes no prototype', async (t) => {
  const copy = copyJson(JSON.parse('{"__proto__":{"polluted":true},"a":1}'))
  t.strictSame(Object.keys(copy), ['__proto__', 'a'])
  t.equal(Object.getPrototypeOf(copy), Object.prototype)
  t.equal(copy.polluted, undefined)
  t.strictSame(Object.getOwnPropertyDescriptor(copy, '__proto__'), {
    value: { polluted: true },
    configurable: true,
    enumerable: true,
    writable: true
  })
})

await t.test('copyJson: objects without a prototype, or of another realm, are plain', async (t) => {
  t.strictSame(copyJson(Object.assign(Object.create(null), { a: 1 })), { a: 1 })
  t.strictSame(copyJson(runInNewContext('({ a: [1, { b: 2 }] })')), { a: [1, { b: 2 }] })
})

const refused: Record<string, unknown> = {
  NaN,
  Infinity,
  '-Infinity': -Infinity,
  undefined,
  'a function': () => {},
  'a symbol': Symbol('a'),
  'a bigint': 1n,
  'a Date': new Date(0),
  'a Map': new Map(),
  'a Buffer': Buffer.from('a'),
  'a String object': Object('a'),
  'an instance of a class': new (class Offer {})(),
  'an object with toJSON': { toJSON: () => 1 },
  'an object that inherits from a plain one': Object.create({ a: 1 }),
  'an array with a hole': new Array(3),
  'an array with undefined': [undefined],
  'NaN deep inside': { a: [{ b: NaN }] },
  'a bigint under __proto__': Object.defineProperty({}, '__proto__', { value: 1n, enumerable: true })
}

for (const [name, value] of Object.entries(refused)) {
  await t.test(`copyJson: ${name} is refused`, async (t) => {
    t.throws(() => copyJson(value), { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422 })
  })
}

await t.test('copyJson: 512 levels are accepted; more, and circles, are refused', async (t) => {
  t.doesNotThrow(() => copyJson(nested(512)))
  t.throws(() => copyJson(nested(513)), { code: 'FST_IF_MATCH_INVALID_VALUE' })
  const circle: unknown[] = []
  circle.push({ circle })
  t.throws(() => copyJson(circle), { code: 'FST_IF_MATCH_INVALID_VALUE' })
})

await t.test('copyJson: a refusal says what is wrong, and none of the content', async (t) => {
  t.throws(() => copyJson({ password: 'secret', at: new Date(0) }), { message: /class of its own/ })
  try {
    copyJson({ password: 'secret', at: new Date(0) })
  } catch (error) {
    t.notMatch((error as Error).message, /secret|password/)
  }
})

await t.test('jsonText: the text of a value that copyJson accepts; a value that is too long for a text is refused', async (t) => {
  t.equal(jsonText({ a: [1, 'b', null], c: undefined }), '{"a":[1,"b",null]}')
  t.throws(() => jsonText({ a: NaN }), { code: 'FST_IF_MATCH_INVALID_VALUE' })
  // Each control character takes six characters in JSON, and V8 allows no text of that length.
  t.throws(() => jsonText('\u0001'.repeat(100_000_000)), { code: 'FST_IF_MATCH_INVALID_VALUE', message: /longer/ })
})
