import type { IncomingHttpHeaders } from 'node:http'
import t from 'tap'
import { fieldValue, joinLines, MAX_MEMBERS, parseTagList } from '../../../lib/http/list-header.js'

const strong = (opaque: string) => ({ opaque, weak: false })
const weak = (opaque: string) => ({ opaque, weak: true })

await t.test('parse: the wildcard, and lists with space and empty members (RFC 9110 13.1.1, 5.6.1)', async (t) => {
  t.equal(parseTagList('*'), '*')
  t.equal(parseTagList(' \t* \t'), '*')
  t.same(parseTagList('"c"'), [strong('c')])
  t.same(parseTagList('"x", "c"'), [strong('x'), strong('c')])
  t.same(parseTagList('"c","x"'), [strong('c'), strong('x')])
  t.same(parseTagList(', "a" ,, "b",'), [strong('a'), strong('b')])
  t.same(parseTagList('\t"c"\t'), [strong('c')])
  t.same(parseTagList('W/"c", "c"'), [weak('c'), strong('c')])
})

await t.test('parse: quotes delimit, not commas, and a quoted asterisk is a tag (RFC 9110 8.8.3)', async (t) => {
  t.same(parseTagList('"a,b","c"'), [strong('a,b'), strong('c')])
  t.same(parseTagList('"*"'), [strong('*')])
  t.same(parseTagList('W/"*"'), [weak('*')])
  t.same(parseTagList('""'), [strong('')])
})

await t.test('parse: one bad member spoils the whole field', async (t) => {
  const bad = [
    'c', '"c', 'c"', "'c'", '"c"x', '"c" "d"', '"c";w', '"c";q=1', 'w/"c"', 'W/ "c"', 'W/c', 'W/',
    '**', '*,"c"', '"c",*', '*,*', '*,', '* "c"', '"c", d', 'd, "c"', '"c "', '"c\t"', '"c\n"', '"a""b"', '"\u0100"'
  ]
  for (const value of bad) t.equal(parseTagList(value), undefined, JSON.stringify(value))
})

await t.test('parse: a field without a member is malformed, not false and not absent', async (t) => {
  for (const value of ['', ' ', ',', ' , ', ',,,']) t.equal(parseTagList(value), undefined, JSON.stringify(value))
})

await t.test('parse: 256 members are taken, 257 are not, empty ones included', async (t) => {
  const list = (count: number): string => Array.from({ length: count }, (_, index) => `"${index}"`).join(',')
  t.equal(parseTagList(list(MAX_MEMBERS))?.length, 256)
  t.equal(parseTagList(list(MAX_MEMBERS + 1)), undefined)
  t.equal(parseTagList('"c"' + ','.repeat(255))?.length, 1)
  t.equal(parseTagList('"c"' + ','.repeat(256)), undefined)
})

await t.test('parse: the tags of a list, written as a list, are parsed to the same tags; random octets never throw', async (t) => {
  let seed = 1
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
  const octets = '"*,W/ \t\\a\u00ff\u0100'
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: random(12) }, () => octets[random(octets.length)]).join('')
    const parsed = parseTagList(text)
    if (parsed === undefined || parsed === '*') continue
    const again = parsed.map(({ opaque, weak }) => `${weak ? 'W/' : ''}"${opaque}"`).join(' , ')
    if (JSON.stringify(parseTagList(again)) !== JSON.stringify(parsed)) t.fail(`not stable: ${JSON.stringify(text)}`)
  }
  t.pass()
})

await t.test('parse: one linear pass: a pattern that backtracks would not come to an end here', async (t) => {
  const size = 2 ** 20
  const fields = ['"'.repeat(size), 'W/'.repeat(size), '"a'.repeat(size), ' '.repeat(size), `"${'a'.repeat(size)}`]
  for (const field of fields) t.equal(parseTagList(field), undefined)
})

await t.test('field: sent empty is not absent; a hook may set a list, and null as undefined is no field', async (t) => {
  t.equal(fieldValue({}, 'if-match'), undefined)
  for (const [value, wanted] of [
    ['"a", "b"', '"a", "b"'],
    ['', ''],
    [['"a"', '"b"'], '"a", "b"'],
    [['"a"'], '"a"'],
    [[], ''],
    [null, undefined],
    [undefined, undefined],
    [5, '5']
  ]) t.equal(fieldValue({ 'if-match': value as never }, 'if-match'), wanted)
})

await t.test('lines: over HTTP/2 they are joined from the raw headers, in their order (RFC 9110 5.3)', async (t) => {
  const rawHeaders = ['if-match', '"a"', 'x', '"no"', 'If-Match', '"b"', 'if-none-match', '*']
  const joined = (headers: IncomingHttpHeaders, httpVersionMajor = 2) => {
    joinLines({ headers, raw: { httpVersionMajor, headers, rawHeaders } })
    return headers
  }
  t.strictSame(joined({ 'if-match': '"a"', 'if-none-match': '*' }), { 'if-match': '"a", "b"', 'if-none-match': '*' })
  t.strictSame(joined({ 'if-match': '"c"' }), { 'if-match': '"c"' }, 'a hook has set it')
  t.strictSame(joined({ 'if-match': '' }), { 'if-match': '' })
  t.strictSame(joined({}), {}, 'a hook has deleted it')
  const copied = {
    headers: { 'if-match': '"a"', 'if-none-match': '*', 'x-user': 'u' },
    raw: { httpVersionMajor: 2, headers: { 'if-match': '"a"', 'if-none-match': '*' }, rawHeaders }
  }
  joinLines(copied)
  t.same(copied.headers, { 'if-match': '"a", "b"', 'if-none-match': '*', 'x-user': 'u' }, 'a hook has copied it')
  t.strictSame(joined({ 'if-match': '"a"' }, 1), { 'if-match': '"a"' }, 'Node has joined those of HTTP/1')
})
