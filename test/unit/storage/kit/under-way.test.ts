import t from 'tap'
import { UnderWay } from '../../../../lib/storage/kit/under-way.js'
import { barrier } from '../../../support/barrier.js'

await t.test('under way: idle waits until each operation has ended, also one that failed or threw at once, and not for nothing', async (t) => {
  const underWay = new UnderWay()
  await underWay.idle()
  const [first, second] = [barrier(), barrier()]
  const events: string[] = []
  const run = async (name: string, gate: { opened: Promise<unknown> }, error?: Error): Promise<void> =>
    await underWay.run(async () => {
      await gate.opened
      events.push(name)
      if (error !== undefined) throw error
    })
  const failing = t.rejects(run('first', first, new Error('failed')), { message: 'failed' })
  const running = run('second', second)
  const waiting = Promise.all([underWay.idle(), underWay.idle()]).then(() => { events.push('idle') })
  await t.rejects(underWay.run(() => { throw new Error('at once') }), { message: 'at once' })
  first.open()
  await failing
  second.open()
  await Promise.all([running, waiting])
  t.strictSame(events, ['first', 'second', 'idle'])
  t.equal(await underWay.run(async () => 'the outcome'), 'the outcome')
})
