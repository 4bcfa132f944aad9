import { readFileSync } from 'node:fs'
import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { buildApp } from '../../example/app/index.js'
import { DEVELOPMENT_TOKENS, parseTokens } from '../../example/app/tokens.js'
import { blockOf, runSession } from '../support/console-session.js'
import { app } from './readme-example.js'

await t.test('README: the example is the file that is type-checked here, and it does what it says', async (t) => {
  t.teardown(async () => { await app.close() })
  t.equal(
    readFileSync('test/docs/readme-example.ts', 'utf8'),
    `${blockOf('README.md', 'ts', 'app.register')}\nexport { app }\n`
  )
  const put = async (headers: Record<string, string>, payload: object) =>
    await app.inject({ method: 'PUT', url: '/offers/1', headers, payload })
  const created = await put({ 'if-none-match': '*' }, { title: 'a', price: 1 })
  t.equal(created.statusCode, 201)
  const etag = created.headers.etag as string
  t.equal((await app.inject({ url: '/offers/1', headers: { 'if-none-match': etag } })).statusCode, 304)
  t.equal((await app.inject('/offers/2')).statusCode, 404)
  t.same(
    (
      await app.inject({ method: 'PATCH', url: '/offers/1', headers: { 'if-match': etag }, payload: { price: 2 } })
    ).json(),
    { title: 'a', price: 2 }
  )
  t.equal((await put({ 'if-match': etag }, { title: 'b', price: 3 })).statusCode, 412)
  t.equal((await put({}, { title: 'b', price: 3 })).statusCode, 400)
  t.equal((await put({ 'if-match': '*' }, { title: 'b', price: 3 })).statusCode, 200)
  t.equal((await app.inject({ method: 'DELETE', url: '/offers/1', headers: { 'if-match': '*' } })).statusCode, 204)
})

await t.test('README: the terminal session prints what it says', async (t) => {
  const server = await buildApp({ storage: memoryAdapter(), tokens: parseTokens(DEVELOPMENT_TOKENS) })
  t.teardown(async () => { await server.close() })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const { said, printed } = await runSession(blockOf('README.md', 'console', 'call()'), url)
  t.equal(said, printed)
})
