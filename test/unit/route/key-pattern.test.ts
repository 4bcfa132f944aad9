import t from 'tap'
import Fastify from 'fastify'
import { compileKey, parametersOf } from '../../../lib/route/key-pattern.js'

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
  for (const [pattern, params, key] of cases) t.equal(compileKey(pattern).keyOf(params), key, pattern)
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
