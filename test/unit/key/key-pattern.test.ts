import t from 'tap'
import { uuid, wholeNumber } from '../../../lib/key/converters.js'
import { entityKey } from '../../../lib/key/entity-key.js'
import { keyPattern } from '../../../lib/key/key-pattern.js'

const INVALID_KEY = { code: 'FST_IF_MATCH_INVALID_KEY', statusCode: 400 }
const INVALID_OPTIONS = { code: 'FST_IF_MATCH_INVALID_OPTIONS', statusCode: 500 }

const CASES: Array<[pattern: string, params: Record<string, string>, key: string]> = [
  ['/orders/:id', { id: 'a/b c' }, '/orders/a%2Fb%20c'],
  ['/orders/:order/lines/:line', { order: 'a%', line: '7' }, '/orders/a%25/lines/7'],
  ['/static', {}, '/static'],
  ['/files/*', { '*': 'a/b' }, '/files/a%2Fb'],
  ['/files/*', { '*': '' }, '/files/'],
  ['*', { '*': '/a' }, '%2Fa'],
  ['/a/::literal/:id', { id: ':' }, '/a/:literal/%3A'],
  ['/a/:id(^(?:a|b\\))\\d{2}$)', { id: 'b)12' }, '/a/b)12'],
  ['/a/:id(^\\d+$)/b', { id: '1' }, '/a/1/b'],
  ['/a/:id(x|y)', { id: 'y' }, '/a/y'],
  ['/a/:id(^[^/]+/[^/]+$)', { id: 'x/y' }, '/a/x%2Fy'],
  ['/a/:id.json', { id: 'b.json' }, '/a/b.json.json'],
  ['/a/v-:id', { id: 'v-' }, '/a/v-v-'],
  ['/a/:x-b/:y', { x: '-b-b', y: 'b' }, '/a/-b-b-b/b'],
  ['/a/:id?', { id: '1' }, '/a/1'],
  ['/a/:id?', {}, '/a/'],
  ['/a/:id(^x$)?', {}, '/a/'],
  ['/caf\u00e9 (1+1)/:id', { id: '\u00e9' }, '/caf\u00e9 (1+1)/%C3%A9'],
  ['/a/:__proto__', Object.fromEntries([['__proto__', 'x']]), '/a/x'],
  ['order-:id', { id: '1' }, 'order-1']
]

await t.test('keyPattern: format makes the key that a route makes, and parse gives its parameters, decoded', async (t) => {
  for (const [pattern, params, key] of CASES) {
    const { format, parse } = keyPattern(pattern)
    t.equal(format(params), key, pattern)
    t.equal(format(params), entityKey(pattern, params))
    t.strictSame(parse(key), params, key)
  }
})

await t.test('keyPattern: a key has one spelling, and parse refuses each other one (FST_IF_MATCH_INVALID_KEY)', async (t) => {
  const { parse } = keyPattern('/orders/:order/lines/:line')
  const others = [
    '/orders/a%2fb/lines/1', '/orders/%61/lines/1', '/orders/a b/lines/1', '/orders/\u00e9/lines/1',
    '/orders/a+b/lines/1',
    '/orders/%/lines/1', '/orders/%FF/lines/1', '/orders/%C0%AF/lines/1', '/orders/%ED%A0%80/lines/1',
    '/orders/a\0/lines/1',
    '/orders//lines/1', '/orders/a/lines/', '/orders/a/lines', '/orders/a/lines/1/', '//orders/a/lines/1',
    '/orders/a//lines/1',
    '/orders/a/b/lines/1', '/orders/a/lines/1/2', 'orders/a/lines/1', '/Orders/a/lines/1', ' /orders/a/lines/1',
    '/orders/a/lines/1\n', '/orders/a/lines/1?x', '/orders/a/lines/1#', '/orders/%00/lines/1', '/v1/orders/a/lines/1',
    '/orders/\ud800/lines/1', ''
  ]
  for (const key of others) t.throws(() => parse(key), INVALID_KEY, JSON.stringify(key))
  for (const key of [undefined, null, 7, ['/orders/a/lines/1'], {}]) t.throws(() => parse(key as never), INVALID_KEY)
  t.strictSame(parse('/orders/!~*\'()/lines/-_.'), { order: "!~*'()", line: '-_.' }, 'these are never encoded')
  const files = keyPattern('/files/*')
  for (const key of ['/files/a/b', '/files/%2f', '/files', '/x/a']) t.throws(() => files.parse(key), INVALID_KEY)
})

await t.test('keyPattern: the regular expression of a parameter is enforced, on the whole of its decoded text', async (t) => {
  const refused = [
    ['/a/:id(^\\d+$)', '/a/x'], ['/a/:id(\\d+)', '/a/1x'], ['/a/:id(\\d+)', '/a/x1'], ['/a/:id(^\\d+$)', '/a/1%0A'],
    ['/a/:id(^a|b$)', '/a/ax'], ['/a/:id([1-9]\\d{0,18})', '/a/012'], ['/a/:id(^\\d*$)', '/a/'],
    ['/a/:id(^x$)?', '/a/y'],
    ['/a/:id(^%2F$)', '/a/%2F']
  ] as const
  for (const [pattern, key] of refused) t.throws(() => keyPattern(pattern).parse(key), INVALID_KEY, `${pattern} ${key}`)
})

await t.test('keyPattern: a converter makes of a parameter what the app works with, and refuses others', async (t) => {
  const line = keyPattern('/orders/:order/lines/:line', { line: wholeNumber, order: uuid })
  const order = '018f4e5c-7d1a-7c3b-9e2f-0123456789ab'
  t.strictSame(line.parse(`/orders/${order}/lines/7`), { order, line: 7 })
  t.equal(line.format({ order, line: 7 }), `/orders/${order}/lines/7`)
  for (const rest of [`${order}/lines/07`, `${order.toUpperCase()}/lines/7`, `${order}/lines/`, `${order}/lines/%37`]) {
    t.throws(() => line.parse(`/orders/${rest}`), INVALID_KEY, rest)
  }
  t.strictSame(keyPattern('/a/:id?', { id: wholeNumber }).parse('/a/'), {}, 'what is left out is not converted')
  const counted = keyPattern('/a/:id', { id: (...args) => args.length })
  t.strictSame(counted.parse('/a/1'), { id: 1 }, 'it is given the text alone')
})

await t.test('keyPattern: two texts that a converter takes for one id are not both keys', async (t) => {
  const { parse } = keyPattern('/a/:id', { id: Number })
  t.strictSame(parse('/a/7'), { id: 7 })
  for (const id of ['07', '7.0', '%207', '0x7', 'x', 'NaN', 'Infinity', '-0']) {
    t.throws(() => parse(`/a/${id}`), INVALID_KEY, id)
  }
  for (const result of [undefined, null, {}, NaN]) {
    t.throws(() => keyPattern('/a/:id', { id: () => result as never }).parse(`/a/${result}`), INVALID_KEY)
  }
  const own = keyPattern('/a/:id', { id: () => { throw new Error('no such order') } })
  t.throws(() => own.parse('/a/1'), { message: 'no such order' }, 'what it throws goes out')
})

await t.test('keyPattern: what could be read in two ways is refused when it is made (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const wrong: Array<[pattern: unknown, message: RegExp, converters?: object]> = [
    ['/a/:x-:y', /"\/a\/:x-:y".*two parameters in one segment/],
    ['/a/:x/b/:x', /the same name/],
    ['/a/:x(^(\\d$)', /parenthesis/],
    ['/a/:x(^[$)', /regular expression/i],
    [undefined, /must be a string/],
    [/a/, /must be a string/],
    ['/a/:x', /no parameter "y"/, { y: wholeNumber }],
    ['/a/:x', /no parameter "toString"/, { toString: wholeNumber }],
    ['/a/:x', /"x" must be a function/, { x: 'number' }]
  ]
  for (const [pattern, message, converters] of wrong) {
    t.throws(() => keyPattern(pattern as string, converters as {}), { ...INVALID_OPTIONS, message }, String(pattern))
  }
  t.throws(() => keyPattern('/a/:id').format({} as never), { ...INVALID_OPTIONS, message: /"id" is missing/ })
  t.strictSame(keyPattern('/a/:id', null as never).parse('/a/1'), { id: '1' })
})

// A generator with a seed, so that a failure comes again (Park and Miller).
function randomOf (seed: number): (below: number) => number {
  let state = seed
  return (below) => (state = state * 48271 % 2147483647) % below
}

const PIECES = [
  'a', 'b', '7', '0', '/', '%', '%2F', '%2f', '%25', '%61', '%C3%A9', '%00', ':', '::', '*', '.', '-', '.json', ' ',
  '+', '?', '#', '\n',
  '\u00e9', '\ud83d\ude00', '\uffff', '\ud800', "'", '(', ')', '\\', '&', '=', '~', '!', 'lines', 'orders', 'e\u0301'
]

await t.test('keyPattern: of any parameters parse(format(p)) is p, and whatever key parse takes, format makes again', async (t) => {
  const random = randomOf(15)
  const text = (most: number): string => Array.from({ length: random(most + 1) },
    () => PIECES[random(PIECES.length)]).join('')
  const patterns = [
    '/orders/:order/lines/:line', '/files/*', '/a/:id?', '/a/:id.json', 'v-:x-a/:y.json/*', '/a/::b/:id', ':a',
    '/a/:id(^.*a.*$)'
  ]
  for (const pattern of patterns) {
    const { format, parse } = keyPattern(pattern)
    const names = Object.keys(parse(format({ order: 'a', line: 'a', '*': 'a', id: 'a', x: 'a', y: 'a', a: 'a' })))
    let taken = 0
    for (let round = 0; round < 3000; round++) {
      const params = Object.fromEntries(names.map((name) => [name, `a${text(4)}`.replaceAll('\n', '').toWellFormed()]))
      const key = format(params)
      if (JSON.stringify(parse(key)) !== JSON.stringify(params)) t.fail(`${pattern} ${JSON.stringify(params)}`)
      // Near to a key of the pattern: one piece put in, taken out or exchanged.
      const at = random(key.length)
      const other = key.slice(0, at) + PIECES[random(PIECES.length)]! + key.slice(at + random(3))
      const parsed = parsedBy(parse, other)
      if (parsed !== undefined && ++taken && format(parsed) !== other) t.fail(`${pattern} ${JSON.stringify(other)}`)
    }
    t.ok(taken > 50 && taken < 2900, `${pattern}: ${taken} of 3000 were keys`)
  }
})

function parsedBy<P> (parse: (key: string) => P, key: string): P | undefined {
  try {
    return parse(key)
  } catch (error) {
    if ((error as { code?: string }).code !== 'FST_IF_MATCH_INVALID_KEY') throw error
    return undefined
  }
}
