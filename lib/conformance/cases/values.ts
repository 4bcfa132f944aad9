import assert from 'node:assert/strict'
import { ABSENT, ANY, applied, create, present, refused, rejectsWith, same } from '../assert.js'
import type { Cases } from '../harness.js'

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
  'empty text, arrays and objects': ['', [], {}, [[]], [{}], { a: [] }, { '': '' }],
  'texts of all planes': [
    '\u00e9',
    'e\u0301',
    '\u4e2d',
    '\u{1f600}',
    '\u{10ffff}',
    '\ufffd',
    '\ufeff',
    '\u2028\u2029',
    '\u202e'
  ],
  'texts that engines take for their own': [
    'null',
    'true',
    '1',
    '{"a":1}',
    "'; --",
    '$1',
    '%s',
    '\\',
    '\\u0000',
    '"',
    ' a ',
    '\r\n'
  ],
  'U+0000 and control characters in text and names': ['\0', 'a\0b', { 'a\0b': '\0' }, '\u0001\u001f\u007f\u0080'],
  'lone surrogates in text and names': ['\ud800', '\udc00', 'a\ud83d', '\ude00\ud83d', { '\ud800': '\udfff' }],
  'names that are special in JavaScript': [
    { constructor: 1, toString: 2, hasOwnProperty: 3, then: 4, length: 5, toJSON: 6 }
  ],
  'objects with __proto__ as a name of their own': [
    JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":null}}')
  ],
  'names with digits, spaces and none at all': [{ 2: 'b', 1: 'a', '': 'c', ' ': 'd', 'a.b': 'e', $set: 'f' }],
  'mixed arrays': [[1, 'a', null, false, { a: [1, [2, [3]]] }]],
  'values of 500 levels': [nested(500)],
  'texts of 256 KiB': ['\u00e9'.repeat(128 * 1024)]
}

const refusedValues: Record<string, unknown[]> = {
  'numbers that are not finite': [NaN, Infinity, -Infinity],
  'undefined, functions, symbols and bigints': [undefined, Math.max, Symbol('a'), 1n],
  'instances of classes': [new Date(0), new Map([['a', 1]]), new Uint8Array(1), new (class Offer { title = 'a' })()],
  'circular values': [circular()],
  'arrays with a hole or undefined': [new Array(3), [undefined]],
  'plain values around bad ones': [{ a: [{ b: NaN }] }, { a: [{ b: Math.max }] }, [[{ a: new Date(0) }]]]
}

export const valueCases: Cases = {
  ...Object.fromEntries(Object.entries(keptValues).map(([name, values]) => [
    `value: ${name} come back as they were`,
    async ({ adapter }) => {
      for (const [at, value] of values.entries()) {
        await create(adapter, `k${at}`, value)
        assert.deepEqual((await present(adapter, `k${at}`)).value, value)
      }
    }
  ])) satisfies Cases,

  'value: a refusal gives back every value as a read does': async ({ adapter }) => {
    for (const value of Object.values(keptValues).flat()) {
      const { version } = applied(await adapter.write('k', value, ANY))
      const current = refused(await adapter.write('k', 'other', ABSENT), ABSENT)
      assert.deepEqual({ value: current?.value, version: current?.version }, { value, version })
    }
  },

  'value: -0 comes back as 0 or as -0, as in JSON': async ({ adapter }) => {
    await create(adapter, 'k', -0)
    assert.ok((await present(adapter, 'k')).value === 0)
  },

  'value: a property that is undefined is left out, as in JSON': async ({ adapter }) => {
    await create(adapter, 'k', { a: 1, b: undefined, c: { d: undefined } })
    assert.deepEqual((await present(adapter, 'k')).value, { a: 1, c: {} })
  },

  ...Object.fromEntries(Object.entries(refusedValues).map(([name, values]) => [
    `value: ${name} are refused with INVALID_VALUE, and nothing is changed`,
    async ({ adapter }) => {
      await create(adapter, 'there', 1, { digest: 'd' })
      const before = await present(adapter, 'there')
      for (const value of values) {
        await rejectsWith(() => adapter.write('there', value, ANY), 'FST_IF_MATCH_INVALID_VALUE')
        await rejectsWith(() => adapter.write('new', value, ABSENT), 'FST_IF_MATCH_INVALID_VALUE')
      }
      same(await adapter.read('there'), before)
      assert.equal(await adapter.read('new'), undefined)
    }
  ])) satisfies Cases
}
