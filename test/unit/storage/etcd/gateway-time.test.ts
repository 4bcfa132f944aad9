import t, { type Test } from 'tap'
import { EtcdEndpoint, type EtcdBounds } from '../../../../lib/storage/etcd/endpoint.js'
import { EtcdFault, type EtcdFaultKind } from '../../../../lib/storage/etcd/faults.js'
import { EtcdGateway } from '../../../../lib/storage/etcd/gateway.js'
import { within } from '../../../../lib/storage/kit/deadline.js'
import { stoppedClock } from '../../../support/etcd/clock.js'

/** What becomes of a request, and how many milliseconds later. */
type Outcome = [takes: number, answer: EtcdFaultKind | object] | 'silence'

const TOKEN = { token: 't' }
const LOGIN = { auth: { user: 'u', password: 'p' } }

/** A gateway whose requests end as they are told to, one after another, and the bounds with which they were sent. */
function gatewayOn (
  t: Test,
  endpoints: number,
  timeout: number,
  outcomes: Outcome[],
  options = {}
): { gateway: EtcdGateway, bounds: EtcdBounds[] } {
  const clock = stoppedClock(t)
  const bounds: EtcdBounds[] = []
  t.intercept(EtcdEndpoint.prototype, 'post', {
    value: async (_path: string, _body: string | undefined, _token: string | undefined, bound: EtcdBounds) => {
      bounds.push(bound)
      const outcome = outcomes.shift()
      if (outcome === undefined) throw new Error('one request too many')
      if (outcome === 'silence') return await new Promise<string>(() => {})
      const [takes, answer] = outcome
      clock.now += takes
      if (typeof answer === 'string') throw new EtcdFault(answer, 'as told')
      return JSON.stringify(answer)
    }
  })
  const gateway = new EtcdGateway({
    endpoints: Array.from({ length: endpoints }, () => 'http://127.0.0.1:1'),
    timeout,
    ...options
  })
  t.teardown(() => {
    gateway.close()
  })
  return { gateway, bounds }
}

await t.test('etcd-gateway: endpoints that are silent cost a read their share of the time, and the others have the rest', async (t) => {
  const { gateway, bounds } = gatewayOn(t, 2, 400, [[200, 'LOST'], [100, 'LOST'], [100, 'LOST']])
  await t.rejects(gateway.read('/a', {}), { name: 'Error', kind: 'LOST' })
  t.strictSame(bounds, [{ connect: 200, answer: 200 }, { connect: 100, answer: 100 }, { connect: 100, answer: 100 }])
})

await t.test('etcd-gateway: the time that an endpoint leaves of its share goes to the others', async (t) => {
  const { gateway, bounds } = gatewayOn(t, 4, 400, [
    [0, 'LOST'],
    [10, 'BUSY'],
    [90, 'UNREACHABLE'],
    [1, { fine: true }]
  ])
  t.strictSame(await gateway.read('/a', {}), { fine: true })
  t.strictSame(bounds.map(({ answer }) => answer), [100, 100, 130, 150])
})

await t.test('etcd-gateway: an endpoint that is not reached costs a write its share of the time; one that is reached has the rest, no more', async (t) => {
  const { gateway, bounds } = gatewayOn(t, 2, 600, [[300, 'UNREACHABLE'], [300, 'LOST']])
  await t.rejects(gateway.write('/a', {}), { name: 'Error', kind: 'LOST' })
  t.strictSame(bounds, [{ connect: 300, answer: 600 }, { connect: 300, answer: 300 }])
})

await t.test('etcd-gateway: a read that took all of the time is not asked again, and one that did not is', async (t) => {
  for (const [takes, sent] of [[400, 1], [391, 1], [390, 2]] as const) {
    await t.test(`${takes} of 400 ms`, async (t) => {
      const { gateway, bounds } = gatewayOn(t, 1, 400, [[takes, 'LOST'], [0, 'LOST']])
      await t.rejects(gateway.read('/a', {}), { name: 'Error', kind: 'LOST' })
      t.equal(bounds.length, sent)
    })
  }
})

await t.test('etcd-gateway: a request after a login, and again after another login, has what is left of the time', async (t) => {
  const { gateway, bounds } = gatewayOn(t, 1, 400, [[100, TOKEN], [50, 'TOKEN'], [30, TOKEN], [220, 'LOST']], LOGIN)
  await t.rejects(gateway.write('/a', {}), { name: 'Error', kind: 'LOST' })
  t.strictSame(bounds.map(({ answer }) => answer), [400, 300, 400, 220])
})

await t.test('etcd-gateway: a login fails over as a read does', async (t) => {
  const { gateway, bounds } = gatewayOn(t, 2, 400, [[0, 'LOST'], [0, TOKEN], [0, { fine: true }]], LOGIN)
  t.strictSame(await gateway.write('/a', {}), { fine: true })
  t.equal(bounds.length, 3)
})

await t.test('etcd-gateway: a login that has to be made again is waited for as long as there is time left', async (t) => {
  const { gateway } = gatewayOn(t, 1, 100_000, [[0, TOKEN], [99_995, 'TOKEN'], 'silence'], LOGIN)
  await t.rejects(
    within(20_000, gateway.read('/a', {}), () => new Error('no bound')),
    { name: 'Error', kind: 'UNREACHABLE', message: /login takes too long/ }
  )
})
