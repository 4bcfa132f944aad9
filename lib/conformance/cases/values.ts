import assert from 'node:assert/strict'
import { assertApplied, assertRejects, assertSame, assertWriteRefused } from '../assert.js'
import { casesForEach, type Cases } from '../harness.js'
import { ABSENT, ANY, create, readPresent } from '../steps.js'

function nested (levels: number): unknown {
  let value: unknown = 'core'
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { in: value }
  return value
}

function circular (): unknown {
  const value: Record<string, unknown> = {}
  value.self = value
  return value
}

const keptValues: Record<string, unknown[]> = {
  'true, false and null': [true, false, null],
  numbers: [0, 1, -1, 0.1, 1e308, -1e308, 5e-324, 1e21, 2 ** 53 - 1, -(2 ** 53 - 1)],
  'empty strings, arrays and objects': ['', [], {}, [[]], [{}], { a: [] }, { '': '' }],
  'strings of all Unicode planes': [
    '\u00e9', 'e\u0301', '\u4e2d', '\u{1f600}', '\u{10ffff}', '\ufffd', '\ufeff', '\u2028\u2029', '\u202e'
  ],
  'strings that look like JSON, queries or escapes': [
    'null', 'true', '1', '{"a":1}', "'; --", '$1', '%s', '\\', '\\u0000', '"', ' a ', '\r\n'
  ],
  'U+0000 and control characters in strings and member names': [
    '\0', 'a\0b', { 'a\0b': '\0' }, '\u0001\u001f\u007f\u0080'
  ],
  'lone surrogates in strings and member names': [
    '\ud800', '\udc00', 'a\ud83d', '\ude00\ud83d', { '\ud800': '\udfff' }
  ],
  'members named constructor, then, toJSON and the like': [
    { constructor: 1, toString: 2, hasOwnProperty: 3, then: 4, length: 5, toJSON: 6 }
  ],
  'objects with a member __proto__': [JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":null}}')],
  'empty member names, and those of digits, spaces or dots': [
    { 2: 'b', 1: 'a', '': 'c', ' ': 'd', 'a.b': 'e', $set: 'f' }
  ],
  'mixed arrays': [[1, 'a', null, false, { a: [1, [2, [3]]] }]],
  'values of 500 levels': [nested(500)],
  'strings of 256 KiB': ['\u00e9'.repeat(128 * 1024)]
}

// What the text of a request can bring: 1e400 is parsed to Infinity.
const sendableValues: Record<string, unknown[]> = {
  'infinite numbers': [Infinity, -Infinity, { a: [{ b: Infinity }] }]
}

const mistakes: Record<string, unknown[]> = {
  'NaN, undefined, functions, symbols and bigints': [NaN, undefined, Math.max, Symbol('a'), 1n],
  'instances of classes': [new Date(0), new Map([['a', 1]]), new Uint8Array(1), new (class Offer { title = 'a' })()],
  'circular values': [circular()],
  'arrays with a hole or undefined': [new Array(3), [undefined]],
  'bad values inside good ones': [{ a: [{ b: NaN }] }, { a: [{ b: Math.max }] }, [[{ a: new Date(0) }]]]
}

export const valueCases: Cases = {
  ...casesForEach(keptValues, (name) => `value: ${name} are read as they were written`, async ({ adapter }, values) => {
    for (const [index, value] of values.entries()) {
      await create(adapter, `k${index}`, value)
      assert.deepEqual((await readPresent(adapter, `k${index}`)).value, value)
    }
  }),

  'value: a refusal gives every value as it was written': async ({ adapter }) => {
    for (const value of Object.values(keptValues).flat()) {
      const { version } = assertApplied(await adapter.write('k', value, ANY))
      const current = await assertWriteRefused(adapter, 'k', 'other', ABSENT)
      assert.deepEqual({ value: current?.value, version: current?.version }, { value, version })
    }
  },

  'value: -0 is read as 0 or as -0': async ({ adapter }) => {
    await create(adapter, 'k', -0)
    assert.ok((await readPresent(adapter, 'k')).value === 0)
  },

  'value: a member that is undefined is left out, as by JSON.stringify': async ({ adapter }) => {
    await create(adapter, 'k', { a: 1, b: undefined, c: { d: undefined } })
    assert.deepEqual((await readPresent(adapter, 'k')).value, { a: 1, c: {} })
  },

  ...refusals(sendableValues, 'INVALID_VALUE'),
  ...refusals(mistakes, 'NOT_JSON')
}

function refusals (refusedValues: Record<string, unknown[]>, name: 'INVALID_VALUE' | 'NOT_JSON'): Cases {
  const code = `FST_IF_MATCH_${name}` as const
  return casesForEach(
    refusedValues,
    (kind) => `value: ${kind} are refused with ${name}, and nothing changes`,
    async ({ adapter }, values) => {
      await create(adapter, 'present', 1, { digest: 'd' })
      const before = await readPresent(adapter, 'present')
      for (const value of values) {
        await assertRejects(() => adapter.write('present', value, ANY), code)
        await assertRejects(() => adapter.write('absent', value, ABSENT), code)
      }
      assertSame(await adapter.read('present'), before)
      assert.equal(await adapter.read('absent'), undefined)
    }
  )
}
