import assert from 'node:assert/strict'
import { assertApplied, assertRejects } from '../assert.js'
import { casesForEach, type Cases } from '../harness.js'
import { ANY, create, EXISTS, readPresent } from '../steps.js'

const INVALID_KEY = 'FST_IF_MATCH_INVALID_KEY'

const refusedKeys: Record<string, unknown[]> = {
  'an empty key': [''],
  'a key with NUL': ['\0', 'a\0b', 'a\0'],
  'a key that is not well-formed Unicode': ['\ud800', '\udc00', 'a\ud800', '\udc00\ud800'],
  'a key of more than 1,024 bytes': ['k'.repeat(1025), '\u20ac'.repeat(342), '\u{1f600}'.repeat(256) + 'k'],
  'a key that is not a string': [1, undefined, null, true, ['a'], Object('a')]
}

// Query languages, patterns, paths, case folding, trimming or normalisation would mistake some of these for others.
const distinctKeys = [
  'a', 'A', 'a ', ' a', 'aa', 'a/', '/a', '/', 'a%20', 'a%2F', '%', '_', '*', '?', '[a]', '[', '{a}', '{', '}', '{}',
  '{a', '{b', '(', '\\', '\\\\', '"', "'", "''", '`', '$1', '$', ':a', ';', '--', '#', '&', '+', '=', '@', '^', '|',
  '~', '<a>', ',', '.', '..', '0', '00', '1', '-1', '1e1', '10', 'null', 'undefined', 'true', '__proto__',
  'constructor', 'toString', '\t', '\n', '\r\n', '\u0001', '\u007f', '\u0085', '\u00a0', '\u00e9', 'e\u0301', '\u00df',
  'ss', 'i', '\u0131', '\u0130', 'I', '\ufeffa', 'a\u200b', '\ufffd', '\uffff', '\u{10000}', '\u{1f600}', '\u{1f601}',
  '\u{10ffff}', '\u4e2d\u6587', '\u05d0\u05d1', '\u202ea'
]

const longKeys: Record<string, string> = {
  'one byte': 'k'.repeat(1024),
  'three bytes': '\u20ac'.repeat(341) + 'k',
  'four bytes': '\u{1f600}'.repeat(256)
}

export const keyCases: Cases = {
  ...casesForEach(
    refusedKeys,
    (name) => `key: ${name} is refused with INVALID_KEY by read, write and remove`,
    async ({ adapter }, keys) => {
      for (const key of keys as string[]) {
        await assertRejects(() => adapter.read(key), INVALID_KEY)
        await assertRejects(() => adapter.write(key, 1, ANY), INVALID_KEY)
        await assertRejects(() => adapter.remove(key, EXISTS), INVALID_KEY)
      }
    }
  ),

  'key: keys that differ in case, spaces or special characters are distinct': async ({ adapter }) => {
    for (const key of distinctKeys) {
      const { created } = assertApplied(await adapter.write(key, key, ANY))
      assert.equal(created, true, `${JSON.stringify(key)} was already there`)
    }
    for (const key of distinctKeys) assert.equal((await readPresent(adapter, key)).value, key)
  },

  'key: removing a key leaves all similar keys': async ({ adapter }) => {
    for (const key of distinctKeys) await adapter.write(key, key, ANY)
    for (const [index, key] of distinctKeys.entries()) {
      assertApplied(await adapter.remove(key, EXISTS))
      for (const left of distinctKeys.slice(index + 1, index + 4)) {
        assert.equal((await readPresent(adapter, left)).value, left)
      }
      assert.equal(await adapter.read(key), undefined)
    }
  },

  ...casesForEach(
    longKeys,
    (name) => `key: 1,024 bytes in characters of ${name} are accepted, and the last character counts`,
    async ({ adapter }, key) => {
      const neighbour = [...key].slice(0, -1).join('') + '!'
      await create(adapter, key, 'long')
      await create(adapter, neighbour, 'neighbour')
      assert.equal((await readPresent(adapter, key)).value, 'long')
      assert.equal((await readPresent(adapter, neighbour)).value, 'neighbour')
    }
  )
}
