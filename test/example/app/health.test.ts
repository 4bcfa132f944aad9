import { mock } from 'node:test'
import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { codeOf, newApp } from '../../support/example/app.js'
import { heldStorage } from '../../support/example/storage.js'

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

await t.test('the storage says nothing for a second: 503', async (t) => {
  const { storage, begun } = await heldStorage(t, 'read')
  const app = await newApp(t, { storage })
  await app.ready()
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const answer = app.inject('/health')
  await begun
  mock.timers.tick(1000)
  const response = await answer
  t.equal(response.statusCode, 503)
  t.equal(codeOf(t, response), 'ServiceUnavailable')
})
