import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { codeOf, newApp } from '../../support/example/app.js'

await t.test('the storage answers: 200, without a token', async (t) => {
  const app = await newApp(t)
  const response = await app.inject('/health')
  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), { status: 'ok' })
})

await t.test('the storage fails: 503', async (t) => {
  const app = await newApp(t, { storage: memoryAdapter({ around: () => { throw new Error('hush') } }) })
  const response = await app.inject('/health')
  t.equal(response.statusCode, 503)
  t.equal(codeOf(t, response), 'ServiceUnavailable')
  t.notMatch(response.body, /hush/)
})

await t.test('the storage says nothing: 503, within bounds', async (t) => {
  const app = await newApp(t, { storage: memoryAdapter({ around: async () => await new Promise<never>(() => {}) }) })
  const response = await app.inject('/health')
  t.equal(response.statusCode, 503)
  t.equal(codeOf(t, response), 'ServiceUnavailable')
})
