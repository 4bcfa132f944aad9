import t from 'tap'
import { checkKey, compareKeys, endOfPrefix, MAX_KEY_BYTES } from '../../../../lib/storage/kit/key.js'

const refused: Record<string, unknown> = {
  'the empty key': '',
  'a number': 1,
  undefined,
  null: null,
  'an object that would turn into text': { toString: () => 'a' },
  'a String object': Object('a'),
  'a NUL': 'a\0b',
  'a lone high surrogate': 'a\ud800',
  'a lone low surrogate': '\udc00',
  'surrogates the wrong way round': '\udc00\ud800',
  '1,025 bytes of ASCII': 'k'.repeat(MAX_KEY_BYTES + 1),
  '1,026 bytes in 342 characters': '\u20ac'.repeat(342),
  '1,028 bytes in 514 UTF-16 units': '\u{1f600}'.repeat(257)
}

for (const [name, key] of Object.entries(refused)) {
  await t.test(`checkKey: ${name} is refused`, async (t) => {
    t.throws(() => checkKey(key), { code: 'FST_IF_MATCH_INVALID_KEY', statusCode: 400 })
  })
}

const accepted: Record<string, string> = {
  'one character': 'a',
  '1,024 bytes of ASCII': 'k'.repeat(MAX_KEY_BYTES),
  '1,024 bytes of three-byte characters': '\u20ac'.repeat(341) + 'k',
  '1,024 bytes of surrogate pairs': '\u{1f600}'.repeat(256),
  '341 characters, which need not be measured': '\u20ac'.repeat(341),
  'control characters and spaces': ' \t\r\n\u0001\u007f ',
  'noncharacters and the highest character': '\ufffe\uffff\u{10ffff}'
}

for (const [name, key] of Object.entries(accepted)) {
  await t.test(`checkKey: ${name} is accepted`, async (t) => {
    t.doesNotThrow(() => checkKey(key))
  })
}

await t.test('compareKeys: keys are ordered by their UTF-8 bytes', async (t) => {
  const keys = [
    'a',
    'b',
    'aa',
    'ab',
    'a\u0001',
    'A',
    '~',
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\ufffd',
    '\uffff',
    '\u{10000}',
    '\u{10001}',
    '\u{1f600}',
    '\u{10ffff}',
    'a\ufffd',
    'a\u{10000}',
    '\u{10000}a',
    '\u{10000}\ufffd',
    '\u{10400}',
    '\ufffdz',
    '\u{103ff}'
  ]
  for (const a of keys) {
    for (const b of keys) {
      t.equal(
        Math.sign(compareKeys(a, b)),
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
        `${escape(a)} and ${escape(b)}`
      )
    }
  }
})

await t.test('compareKeys: a key comes before the keys that begin with it', async (t) => {
  t.ok(compareKeys('a', 'a/b') < 0)
  t.ok(compareKeys('a/b', 'a') > 0)
  t.equal(compareKeys('a/b', 'a/b'), 0)
})

function escape (text: string): string {
  return [...text].map((character) => `U+${character.codePointAt(0)?.toString(16)}`).join(' ')
}

await t.test('endOfPrefix: the least text behind all keys that begin with the prefix', async (t) => {
  t.equal(endOfPrefix(''), undefined)
  t.equal(endOfPrefix('\u{10ffff}'), undefined)
  t.equal(endOfPrefix('notes/'), 'notes0')
  t.equal(endOfPrefix('a\u{10ffff}\u{10ffff}'), 'b')
  t.equal(endOfPrefix('\ud7ff'), '\ue000')
  t.equal(endOfPrefix('\uffff'), '\u{10000}')
  for (const prefix of ['a', 'a\u{10ffff}', '\ud7ff', '\uffff', '\u{1f600}']) {
    t.ok(compareKeys(`${prefix}\u{10ffff}\u{10ffff}z`, endOfPrefix(prefix)!) < 0, 'no key is left out')
  }
})
