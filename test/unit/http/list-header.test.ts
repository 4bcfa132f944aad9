import t from 'tap'
import { fieldValue, MAX_MEMBERS, parseTagList } from '../../../lib/http/list-header.js'

const strong = (opaque: string) => ({ opaque, weak: false })
const weak = (opaque: string) => ({ opaque, weak: true })

await t.test('parse: the wildcard, and lists with space and empty members (R25, R27, R77)', async (t) => {
  t.equal(parseTagList('*'), '*')
  t.equal(parseTagList(' \t* \t'), '*')
  t.same(parseTagList('"c"'), [strong('c')])
  t.same(parseTagList('"x", "c"'), [strong('x'), strong('c')])
  t.same(parseTagList('"c","x"'), [strong('c'), strong('x')])
  t.same(parseTagList(', "a" ,, "b",'), [strong('a'), strong('b')])
  t.same(parseTagList('\t"c"\t'), [strong('c')])
  t.same(parseTagList('W/"c", "c"'), [weak('c'), strong('c')])
})

await t.test('parse: quotes delimit, not commas (R28), and a quoted asterisk is a tag (R29)', async (t) => {
  t.same(parseTagList('"a,b","c"'), [strong('a,b'), strong('c')])
  t.same(parseTagList('"*"'), [strong('*')])
  t.same(parseTagList('W/"*"'), [weak('*')])
  t.same(parseTagList('""'), [strong('')])
})

await t.test('parse: one bad member spoils the whole field (R29, R30, R79)', async (t) => {
  const bad = [
    'c',
    '"c',
    'c"',
    "'c'",
    '"c"x',
    '"c" "d"',
    '"c";w',
    'w/"c"',
    'W/ "c"',
    'W/c',
    'W/',
    '**',
    '*,"c"',
    '"c",*',
    '*,*',
    '*,',
    '* "c"',
    '"c", d',
    'd, "c"',
    '"c "',
    '"c\t"',
    '"a""b"',
    '"c";q=1',
    '"\u0100"',
    '"c\n"'
  ]
  for (const value of bad) t.equal(parseTagList(value), undefined, JSON.stringify(value))
})

await t.test('parse: a field without a member is malformed, not false and not absent (R32)', async (t) => {
  for (const value of ['', ' ', ',', ' , ', ',,,']) t.equal(parseTagList(value), undefined, JSON.stringify(value))
})

await t.test('parse: 256 members are taken, 257 are not, empty ones included (R27)', async (t) => {
  const list = (count: number): string => Array.from({ length: count }, (_, at) => `"${at}"`).join(',')
  t.equal(parseTagList(list(MAX_MEMBERS))?.length, 256)
  t.equal(parseTagList(list(MAX_MEMBERS + 1)), undefined)
  t.equal(parseTagList('"c"' + ','.repeat(255))?.length, 1)
  t.equal(parseTagList('"c"' + ','.repeat(256)), undefined)
})

await t.test('parse: what was formatted comes back, and random octets never throw', async (t) => {
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

await t.test('parse: a field as long as Node lets in is read in one pass (R28)', async (t) => {
  const before = process.cpuUsage().user
  for (const value of [
    '"'.repeat(16_000),
    'W/'.repeat(8_000),
    '"a'.repeat(8_000),
    ' '.repeat(16_000),
    '"' + 'a'.repeat(16_000)
  ]) {
    t.equal(parseTagList(value), undefined)
  }
  t.ok(
    process.cpuUsage().user - before < 1_000_000,
    'less than a second of CPU for what a backtracking pattern needs hours'
  )
})

await t.test('field: over HTTP/1 Node has joined the lines; sent empty is not absent (R26, R32)', async (t) => {
  const request = (value?: string) => ({
    httpVersionMajor: 1,
    headers: value === undefined ? {} : { 'if-match': value },
    rawHeaders: []
  })
  t.equal(fieldValue(request('"a", "b"'), 'if-match'), '"a", "b"')
  t.equal(fieldValue(request(''), 'if-match'), '')
  t.equal(fieldValue(request(), 'if-match'), undefined)
})

await t.test('field: over HTTP/2 the lines are joined from the raw headers, in their order (R26)', async (t) => {
  const request = {
    httpVersionMajor: 2,
    headers: { 'if-match': '"a"' },
    rawHeaders: ['if-match', '"a"', 'x', '"no"', 'If-Match', '"b"', 'if-none-match', '*']
  }
  t.equal(fieldValue(request, 'if-match'), '"a", "b"')
  t.equal(fieldValue({ ...request, headers: {} }, 'if-none-match'), undefined)
})
