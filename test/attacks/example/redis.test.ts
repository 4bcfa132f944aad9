import t from 'tap'
import { put } from '../../support/example/server-client.js'
import { listening, start } from '../../support/example/server-process.js'
import { skipWithoutOwn } from '../../support/services/programs.js'
import { startRedis } from '../../support/services/redis.js'
import { until } from '../../support/until.js'

await t.test('Redis ends, and is restarted: 503 with Retry-After meanwhile and at once, then all is as before', { skip: skipWithoutOwn('redis') }, async (t) => {
  const service = await startRedis(t, { own: true })
  const port = await listening(start(t, { STORAGE: service.url }))
  t.equal((await put(port, 'tide-db')).status, 201)
  await service.kill()
  for (let count = 0; count < 5; count++) {
    const response = await put(port, 'ghost')
    t.equal(response.status, 503)
    t.match(response.headers.get('retry-after'), /^\d+$/)
  }
  await service.restart()
  const status = await until('the server writes again', async () => {
    const { status } = await put(port, 'ghost')
    return status !== 503 && status
  })
  t.equal(status, 201, 'nothing of what was answered 503 was written')
})
