import t from 'tap'
import Fastify from 'fastify'
import { compileKey, entityKey, parametersOf } from '../../../lib/key/entity-key.js'

await t.test('key: parameters are encoded, the rest of the pattern stays as it is', async (t) => {
  const cases: Array<[string, Record<string, string>, string]> = [
    ['/offers/:id', { id: 'a/b c' }, '/offers/a%2Fb%20c'],
    ['/p/:publisher/offers/:id/status', { publisher: 'x', id: 'y' }, '/p/x/offers/y/status'],
    ['/static', {}, '/static'],
    ['/files/*', { '*': 'a/b' }, '/files/a%2Fb'],
    ['*', { '*': '/a' }, '%2Fa'],
    ['/a/::literal/:id', { id: '1' }, '/a/:literal/1'],
    ['/a/:id(^\\d{2}(?:a|b)\\)$)', { id: '1' }, '/a/1'],
    ['/a/:id(^\\d+$)/b', { id: '1' }, '/a/1/b'],
    ['/a/:id.json', { id: '1' }, '/a/1.json'],
    ['/a/v-:id', { id: '1' }, '/a/v-1'],
    ['/a/:id?', { id: '1' }, '/a/1'],
    ['/a/:id?', {}, '/a/'],
    ['/a/:id(^x$)?', { id: 'x' }, '/a/x']
  ]
  for (const [pattern, params, key] of cases) {
    t.equal(compileKey(pattern).keyOf(params), key, pattern)
    t.equal(entityKey(pattern, params), key, `entityKey ${pattern}`)
  }
})

await t.test('key: the names of the parameters are those that the router gives', async (t) => {
  const app = Fastify()
  const patterns = ['/a/:id', '/b/:some_id/c', '/d/:id.json', '/e/:id(^\\d+$)', '/f/*', '/g/::x/:id', '/h/:id?']
  for (const pattern of patterns) app.get(pattern, async (request) => request.params)
  const urls = ['/a/1', '/b/1/c', '/d/1.json', '/e/1', '/f/1', '/g/:x/1', '/h/1']
  for (const [index, url] of urls.entries()) {
    t.same(Object.keys((await app.inject(url)).json()), parametersOf(patterns[index]!), url)
  }
  await app.close()
})

await t.test('key: parameters that could run together to one key are refused', async (t) => {
  for (const pattern of ['/a/:x-:y', '/a/:x(^\\d$)h:y', '/a/:x.:y/b', '/a/:x-*']) {
    t.throws(() => compileKey(pattern), { message: /two parameters/ }, pattern)
  }
  t.throws(() => compileKey('/a/:x(^(\\d$)'), { message: /parenthesis/ }, 'a parenthesis that is not closed')
  t.equal(compileKey('/a/:x-b/:y').keyOf({ x: '1', y: '2' }), '/a/1-b/2')
})

await t.test('entityKey: what validation makes of a parameter is its text; names that the pattern lacks are ignored', async (t) => {
  for (const [value, text] of [[7, '7'], [-0, '0'], [1.5, '1.5'], [10n, '10'], [true, 'true'], ['', '']] as const) {
    t.equal(entityKey('/offers/:id', { id: value, other: null }), `/offers/${text}`)
  }
  interface Params { publisher: string }
  const params: Params = { publisher: 'a b' }
  t.equal(entityKey('/publishers/:publisher/offers/', params), '/publishers/a%20b/offers/', 'a prefix')
  t.equal(entityKey('/a/:id?', { id: undefined }), '/a/')
})

await t.test('entityKey: a parameter that is missing or no text is a mistake of the app (FST_IF_MATCH_INVALID_OPTIONS)', async (t) => {
  const code = 'FST_IF_MATCH_INVALID_OPTIONS'
  for (const params of [undefined, null]) {
    t.throws(() => entityKey('/offers/:id', params as never), { code, message: /"id" is missing/ })
  }
  for (const pattern of [undefined, 5]) t.throws(() => entityKey(pattern as never, {}), { code, message: /a string/ })
  const wrong = [undefined, null, NaN, {}, ['a'], new Date(0), Symbol('a'), () => 'a']
  for (const id of wrong) {
    const message = new RegExp(`"/offers/:id".*"id" is ${id === undefined || id === null ? 'missing' : 'no text'}`)
    const flaw = { code: 'FST_IF_MATCH_INVALID_OPTIONS', statusCode: 500, message }
    t.throws(() => entityKey('/offers/:id', { id }), flaw, String(id))
  }
  t.throws(() => entityKey('/a/:id?', { id: {} }), { code: 'FST_IF_MATCH_INVALID_OPTIONS' }, 'optional, and no text')
  t.throws(() => entityKey('/files/*', {}), { message: /"\*" is missing/ })
  const ambiguous = { code: 'FST_IF_MATCH_INVALID_OPTIONS', message: /"\/a\/:x-:y".*two parameters.*\.$/ }
  t.throws(() => entityKey('/a/:x-:y', { x: '1', y: '2' }), ambiguous)
})

await t.test('entityKey: a parameter that is not well-formed, or 1e400, is the client\'s (FST_IF_MATCH_INVALID_KEY)', async (t) => {
  for (const id of [Infinity, -Infinity]) {
    t.throws(() => entityKey('/offers/:id', { id }), { code: 'FST_IF_MATCH_INVALID_KEY', statusCode: 400 })
  }
  t.throws(() => entityKey('/offers/:id', { id: 'a\ud800' }), { code: 'FST_IF_MATCH_INVALID_KEY', statusCode: 400 })
})

await t.test('entityKey: patterns that are made at run time do not fill the memory, and are right', async (t) => {
  for (let index = 0; index <= 1000; index++) {
    if (entityKey(`/${index}/:id`, { id: 'a b' }) !== `/${index}/a%20b`) t.fail(String(index))
  }
  t.equal(entityKey('/0/:id', { id: 'a b' }), '/0/a%20b')
})
