import { Registry } from 'prom-client'
import t from 'tap'
import { countOutcomes } from '../../../example/metrics/count-outcomes.js'
import { newApp, OFFER, offersUrl, send } from '../../support/example/app.js'

await t.test('metrics: what was answered without the storage is counted, and is not in its times', async (t) => {
  const registry = new Registry()
  t.teardown(countOutcomes(registry))
  const app = await newApp(t, { actionsIfMatch: 'optional' })
  t.equal((await send(app, 'PUT', offersUrl('/tide-db'), {}, OFFER)).statusCode, 400)
  const route = 'route="/api/publishers/:publisherId/offers/:offerId",method="PUT"'
  const without = await registry.metrics()
  t.ok(without.includes(`if_match_requests_total{${route},strategy="none",outcome="missing"} 1\n`))
  t.notMatch(without, /storage_seconds_count\{/)
  t.equal((await send(app, 'PUT', offersUrl('/tide-db'), { 'if-none-match': '*' }, OFFER)).statusCode, 201)
  t.ok((await registry.metrics()).includes(`if_match_storage_seconds_count{${route}} 1\n`))
  t.equal((await send(app, 'POST', offersUrl('/tide-db/publish'), {}, {})).statusCode, 202)
  t.match(await registry.metrics(), /if_match_let_through_total\{route="[^"]+publish",method="POST"\} 1\n/)
})
