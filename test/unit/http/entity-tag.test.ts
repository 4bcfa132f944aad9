import t from 'tap'
import {
  formatEntityTag,
  formatRepresentationTag,
  isVariantName,
  scanEntityTag,
  strongCompare,
  versionOf,
  weakCompare,
  withoutCoding,
  type EntityTag
} from '../../../lib/http/entity-tag.js'

function parse (text: string): EntityTag {
  const scanned = scanEntityTag(text, 0)
  if (scanned === undefined || scanned.end !== text.length) throw new Error(`not a tag: ${text}`)
  return scanned.tag
}

await t.test('comparison: the examples of RFC 9110 8.8.3.2', async (t) => {
  const vectors: Array<[string, string, boolean, boolean]> = [
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
    ['"a"', '"A"', false, false],
    ['""', '""', true, true]
  ]
  for (const [a, b, strong, weak] of vectors) {
    t.equal(strongCompare(parse(a), parse(b)), strong, `strong: ${a} and ${b}`)
    t.equal(strongCompare(parse(b), parse(a)), strong, `strong: ${b} and ${a}`)
    t.equal(weakCompare(parse(a), parse(b)), weak, `weak: ${a} and ${b}`)
    t.equal(weakCompare(parse(b), parse(a)), weak, `weak: ${b} and ${a}`)
  }
})

await t.test('entity-tag: every legal octet may stand inside the quotes, and no other (RFC 9110 8.8.3)', async (t) => {
  for (let code = 0; code <= 0x100; code++) {
    const isLegal = code === 0x21 || (code >= 0x23 && code <= 0x7e) || (code >= 0x80 && code <= 0xff)
    const scanned = scanEntityTag(`"a${String.fromCharCode(code)}b"`, 0)
    if (code === 0x22) t.match(scanned, { tag: { opaque: 'a' }, end: 3 }, 'a double quote ends the tag')
    else t.equal(scanned !== undefined, isLegal, `octet 0x${code.toString(16)}`)
  }
})

await t.test('entity-tag: the weak mark is upper-case W and a slash, with nothing in between (RFC 9110 8.8.3)', async (t) => {
  t.same(parse('W/"a"'), { opaque: 'a', weak: true })
  t.same(parse('"W/"'), { opaque: 'W/', weak: false })
  for (const text of ['w/"a"', 'W /"a"', 'W/ "a"', 'W"a"', 'W/', 'W', '']) {
    t.equal(scanEntityTag(text, 0), undefined, text)
  }
})

await t.test('entity-tag: a backslash is an ordinary octet, and octets above 0x7f are opaque (RFC 9110 8.8.3)', async (t) => {
  t.equal(parse('"a\\"').opaque, 'a\\')
  t.equal(parse('"\u00c3\u00a9"').opaque, '\u00c3\u00a9')
})

await t.test('entity-tag: without its closing quote it is none', async (t) => {
  t.equal(scanEntityTag('"a', 0), undefined)
  t.equal(scanEntityTag('"', 0), undefined)
})

await t.test('format: a version in quotes; a variant, and a content-coding, have tags of their own (RFC 9110 8.8.3.3)', async (t) => {
  t.equal(formatEntityTag('abc'), '"abc"')
  t.equal(formatRepresentationTag('abc', undefined, undefined), '"abc"')
  t.equal(formatRepresentationTag('abc', undefined, 'gzip'), '"abc;gzip"')
  t.equal(formatRepresentationTag('abc', 'text/csv', undefined), '"abc;text/csv"')
  t.equal(formatRepresentationTag('abc', 'text/csv', 'gzip'), '"abc;text/csv;gzip"')
  t.equal(formatRepresentationTag('abc', 'csv', 'unheard-of'), undefined, 'withoutCoding knows every coding of a tag')
})

await t.test('variant: a part of a tag that cannot be taken for a content-coding', async (t) => {
  for (const name of ['csv', 'text/csv', 'de-CH', 'v=1,2', 'gzip2', 'x-gzip', '*']) t.ok(isVariantName(name), name)
  const illegal = ['', 'text/csv; charset=utf-8', 'a b', 'a"b', 'a\\b', 'é', 'a\n', '\x7f', 7, null, {}]
  for (const name of [...illegal, 'br', 'deflate', 'gzip', 'zstd']) t.notOk(isVariantName(name), JSON.stringify(name))
})

await t.test('format: a version that cannot be a tag is refused (FST_IF_MATCH_INVALID_VERSION)', async (t) => {
  for (const version of ['', 'a b', 'a"b', 'a\\b', 'a;gzip', 'é', 'a\n']) {
    t.throws(
      () => formatEntityTag(version),
      { code: 'FST_IF_MATCH_INVALID_VERSION', statusCode: 500 },
      JSON.stringify(version)
    )
    t.throws(() => formatRepresentationTag(version, 'csv', 'gzip'), { code: 'FST_IF_MATCH_INVALID_VERSION' })
  }
  t.throws(() => formatEntityTag(undefined as never), { code: 'FST_IF_MATCH_INVALID_VERSION' })
  t.throws(() => formatEntityTag(7 as never), { code: 'FST_IF_MATCH_INVALID_VERSION' })
})

await t.test('version: the variant and the content-coding that format added come off again', async (t) => {
  for (const coding of [undefined, 'br', 'deflate', 'gzip', 'zstd']) {
    for (const variant of [undefined, 'csv']) {
      const { opaque } = parse(formatRepresentationTag('abc', variant, coding)!)
      t.equal(versionOf(opaque), 'abc')
      t.equal(withoutCoding(opaque), variant === undefined ? 'abc' : 'abc;csv')
    }
  }
  for (const opaque of ['abc', 'abc-gzip', 'gzip', '']) t.equal(versionOf(opaque), opaque)
  for (const opaque of ['abc', 'abc-gzip', 'gzip', 'abc;other', 'abc;gzip;other', ';', '']) {
    t.equal(withoutCoding(opaque), opaque)
  }
})
