import assert from 'node:assert/strict'
import { applied, ANY, create, EXISTS, present, rejectsWith } from '../assert.js'
import type { Cases } from '../harness.js'

const refusedKeys: Record<string, unknown[]> = {
  'the empty one': [''],
  'one with a NUL': ['\0', 'a\0b', 'a\0'],
  'one that is not well-formed Unicode': ['\ud800', '\udc00', 'a\ud800', '\udc00\ud800'],
  'one of more than 1,024 bytes': ['k'.repeat(1025), '\u20ac'.repeat(342), '\u{1f600}'.repeat(256) + 'k'],
  'what is not text': [1, undefined, null, true, ['a'], Object('a')]
}

// What languages of engines, patterns, paths, case folding, trimming and normalisation would mistake for one another.
const distinctKeys = [
  'a',
  'A',
  'a ',
  ' a',
  'aa',
  'a/',
  '/a',
  '/',
  'a%20',
  'a%2F',
  '%',
  '_',
  '*',
  '?',
  '[a]',
  '[',
  '{a}',
  '{',
  '}',
  '{}',
  '{a',
  '{b',
  '(',
  '\\',
  '\\\\',
  '"',
  "'",
  "''",
  '`',
  '$1',
  '$',
  ':a',
  ';',
  '--',
  '#',
  '&',
  '+',
  '=',
  '@',
  '^',
  '|',
  '~',
  '<a>',
  ',',
  '.',
  '..',
  '0',
  '00',
  '1',
  '-1',
  '1e1',
  '10',
  'null',
  'undefined',
  'true',
  '__proto__',
  'constructor',
  'toString',
  '\t',
  '\n',
  '\r\n',
  '\u0001',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u00e9',
  'e\u0301',
  '\u00df',
  'ss',
  'i',
  '\u0131',
  '\u0130',
  'I',
  '\ufeffa',
  'a\u200b',
  '\ufffd',
  '\uffff',
  '\u{10000}',
  '\u{1f600}',
  '\u{1f601}',
  '\u{10ffff}',
  '\u4e2d\u6587',
  '\u05d0\u05d1',
  '\u202ea'
]

const longKeys: Record<string, string> = {
  'one byte each': 'k'.repeat(1024),
  'three bytes each': '\u20ac'.repeat(341) + 'k',
  'four bytes each': '\u{1f600}'.repeat(256)
}

export const keyCases: Cases = {
  ...Object.fromEntries(Object.entries(refusedKeys).map(([name, keys]) => [
    `key: ${name} is refused by read, write and remove with INVALID_KEY (E4)`,
    async ({ adapter }) => {
      for (const key of keys as string[]) {
        await rejectsWith(() => adapter.read(key), 'FST_IF_MATCH_INVALID_KEY')
        await rejectsWith(() => adapter.write(key, 1, ANY), 'FST_IF_MATCH_INVALID_KEY')
        await rejectsWith(() => adapter.remove(key, EXISTS), 'FST_IF_MATCH_INVALID_KEY')
      }
    }
  ])) satisfies Cases,

  'key: odd characters, letter cases and spaces make distinct keys': async ({ adapter }) => {
    for (const key of distinctKeys) {
      assert.equal(
        applied(await adapter.write(key, key, ANY)).created,
        true,
        `${JSON.stringify(key)} was already there`
      )
    }
    for (const key of distinctKeys) assert.equal((await present(adapter, key)).value, key)
  },

  'key: removing one leaves all that look like it': async ({ adapter }) => {
    for (const key of distinctKeys) await adapter.write(key, key, ANY)
    for (const [at, key] of distinctKeys.entries()) {
      applied(await adapter.remove(key, EXISTS))
      for (const left of distinctKeys.slice(at + 1, at + 4)) assert.equal((await present(adapter, left)).value, left)
      assert.equal(await adapter.read(key), undefined)
    }
  },

  ...Object.fromEntries(Object.entries(longKeys).map(([name, key]) => [
    `key: 1,024 bytes of characters of ${name} fit, and the last one counts`,
    async ({ adapter }) => {
      const neighbour = [...key].slice(0, -1).join('') + '!'
      await create(adapter, key, 'long')
      await create(adapter, neighbour, 'neighbour')
      assert.equal((await present(adapter, key)).value, 'long')
      assert.equal((await present(adapter, neighbour)).value, 'neighbour')
    }
  ])) satisfies Cases
}
