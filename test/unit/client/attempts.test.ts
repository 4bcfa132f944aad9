import { getEventListeners } from 'node:events'
import t from 'tap'
import { attempts } from '../../../lib/client/attempts.js'
import { pauses } from '../../support/client/pauses.js'

await t.test('pauses are random below a bound that doubles, up to maxDelay, on top of what the server asks for', async (t) => {
  for (const share of [0, 0.5, 1]) {
    const waited = pauses(t, share)
    const tries = attempts({ maxDelay: 300 })
    for (const after of [0, 0, 0, 0, 1000]) await tries.next(after)
    t.strictSame(waited, [50 * share, 100 * share, 200 * share, 300 * share, 1000 + 300 * share])
    await tries.next(1e12)
    t.equal(waited.pop(), 2 ** 31 - 1, 'a longer timer would fire at once (engine-facts#node-timer-limit)')
  }
})

await t.test('there are 8 tries by default, none after a Retry-After of more than 30 seconds, and as many as are asked for', async (t) => {
  pauses(t)
  const tries = attempts({})
  t.strictSame([0, 30_000, 30_001].map(tries.left), [true, true, false])
  for (let made = 0; made < 8; made++) {
    t.equal(tries.left(), true)
    await tries.next()
  }
  t.equal(tries.left(), false)
  t.equal(attempts({ retries: 0 }).left(), false)
  t.equal(attempts({ maxRetryAfter: 5 }).left(6), false)
})

await t.test('a signal ends a pause at once, with its reason, and leaves no listener behind', async (t) => {
  const controller = new AbortController()
  const { signal } = controller
  const tries = attempts({ signal, maxDelay: 0 })
  await tries.next()
  t.equal(getEventListeners(signal, 'abort').length, 0)
  const waiting = attempts({ signal }).next(1_000_000)
  controller.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
  await t.rejects(tries.next(), { message: 'enough' }, 'one that was aborted before begins none')
})
