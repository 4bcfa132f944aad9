import t from 'tap'
import Fastify from 'fastify'
import { entityKey } from '../../../lib/key/entity-key.js'
import { orderPatterns } from '../../../lib/key/pattern-order.js'

const PATTERNS = [
  '*', '/orders/:id', '/orders/latest', '/orders/:id/lines/:line', '/orders/latest/lines/:line',
  '/orders/:id/lines/first', '/orders/v-:id', '/orders/v-1', '/files/*', '/x*', '/stock/:id?', '/a/::b', '/:a/:b/:c'
]

await t.test('the first pattern that fits a key is that of the route which made it, in whatever order they come', async (t) => {
  const urls = [
    '/orders/7', '/orders/latest', '/orders/late', '/orders/7/lines/2', '/orders/latest/lines/2',
    '/orders/latest/lines/first',
    '/orders/7/lines/first', '/orders/v-1', '/orders/v-12', '/orders/w-1', '/files/a', '/files/a/b', '/xy', '/xy/z',
    '/stock',
    '/stock/1', '/a/:b', '/a/b', '/orders/%2F', '/orders/latest%2Flines', '/orders/7/lines', '/orders/', '/b/c/d',
    '/b/c/d/e'
  ]
  for (const order of [PATTERNS, [...PATTERNS].reverse(), [...PATTERNS].sort()]) {
    const app = Fastify()
    for (const pattern of order) {
      app.get(pattern, async (request) => ({ pattern, key: entityKey(pattern, request.params as object) }))
    }
    const places = orderPatterns(order)
    for (const url of urls) {
      const { pattern, key } = (await app.inject(url)).json()
      t.equal(places.find(({ fits }) => fits(key))?.pattern, pattern, `${url} ${key}`)
    }
    await app.close()
  }
})

await t.test('a parameter with a regular expression comes before one without, and its text is compared decoded', async (t) => {
  const places = orderPatterns(['/a/:id', '/a/:id(^\\d+/$)', '/a/:id?/x(1)'])
  const patternOf = (key: string): string | undefined => places.find(({ fits }) => fits(key))?.pattern
  t.equal(patternOf('/a/1%2F'), '/a/:id(^\\d+/$)')
  t.equal(patternOf('/a/1'), '/a/:id')
  t.equal(patternOf('/a/%'), '/a/:id', 'in a spelling that no route makes: the adapter refuses it')
  t.equal(patternOf('/a/'), '/a/:id')
  t.equal(patternOf('/a//x(1)'), '/a/:id?/x(1)')
  t.equal(patternOf('/a/1/2'), undefined)
})

await t.test('a pattern of another length between two others does not change their order', async (t) => {
  const patterns = ['/a/:x', '/::a/:x(^\\d+$)', '/:x(^\\d+$)', '/::a', '/a/:x.json']
  for (let turn = 0; turn < patterns.length; turn++) {
    patterns.push(patterns.shift()!)
    t.equal(orderPatterns(patterns).find(({ fits }) => fits('/a/1.json'))?.pattern, '/a/:x.json', patterns.join(' '))
  }
})

await t.test('a wildcard fits keys with slashes, which a function makes, after all others', async (t) => {
  const places = orderPatterns(['*', '/files/*', '/files/:a/:b'])
  const patternOf = (key: string): string | undefined => places.find(({ fits }) => fits(key))?.pattern
  t.equal(patternOf('/files/a/b'), '/files/:a/:b')
  t.equal(patternOf('/files/a/b/c'), '/files/*')
  t.equal(patternOf('a\n/b'), '*')
  for (const order of [['/v*', '/v-:a/:b'], ['/v-:a/:b', '/v*']]) {
    t.equal(orderPatterns(order).find(({ fits }) => fits('/v-1/2'))?.pattern, '/v-:a/:b')
  }
})

await t.test('the beginning of a pattern is the literal text ahead of its first parameter', async (t) => {
  for (const [pattern, beginning] of [['/a/::b/:id', '/a/:b/'], ['*', ''], ['/stock', '/stock'], ['/a/v-:id',
    '/a/v-']]) {
    t.equal(orderPatterns([pattern!])[0]!.beginning, beginning)
  }
})

await t.test('patterns that could make the same key, and between which no rank decides, are refused', async (t) => {
  const pairs = [
    ['/a/:x', '/a/:y'], ['/a/:x', '/a/*'], ['*', ':a'], ['/a/:x?', '/a/:x'], ['/a/:x/:y', '/a/:u/*'], ['/a/b',
      '/a/::b'.replace('::', '')],
    ['/a/:x(^\\d$)', '/a/:x(^\\w$)'], ['/a/:x(^\\d$)', '/a/:y(^\\d$)'], ['/a/v-:x', '/a/:x.json'], ['/a/v-:x',
      '/a/v:x'],
    ['/:a(^\\d$)/x', '/:a(^\\w$)/:b'], ['/a/v-:x', '/a/*'], ['/a/*', '/a/:x.json'], ['/a/v*', '/a/v-:x'],
    ['/a/:x', '/:y/*'], ['/:x/v*', '/:y(^\\d+$)/:z.json']
  ]
  for (const pair of pairs) t.throws(() => orderPatterns(pair), { message: /could make the same key/ }, pair.join(' '))
  const apart = [
    ['/a/v-:x', '/a/w-:x'], ['/a/:x.json', '/a/:x.csv'], ['/a/:x', '/b/:x'], ['/a/:x', '/a/:x/'], ['/a/:x/c',
      '/a/:y/d'],
    ['/a/:x', '/a/:y(^\\d$)'], ['/a/:x', '/a/v-:x'], ['/a/:x(^\\d$)/:b', '/a/:y(^\\d$)/c'], ['/a/vb', '/a/v-:x'],
    ['/a/v-', '/a/v-:x'], ['/:a/b', '/a/:b'], ['/a/v-:x/b', '/a/*'], ['/a/:x(^\\d+$)', '/a/*'], ['/a/v-', '/a/*'],
    ['/a/*', '/:x/:y']
  ]
  for (const pair of apart) {
    for (const patterns of [pair, [...pair].reverse()]) t.equal(orderPatterns(patterns).length, 2, pair.join(' '))
  }
  t.throws(() => orderPatterns(['/a/:x-:y']), { message: /two parameters/ })
  t.throws(() => orderPatterns(['/a/:x([)']), SyntaxError)
})
