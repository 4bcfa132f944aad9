import t from 'tap'
import { inTime, type InTime } from '../../../../lib/storage/kit/in-time.js'

const IN_TIME: InTime = { options: undefined, deadline: Infinity }
const LATE: InTime = { options: undefined, deadline: 0 }
const STOPPED: InTime = { options: { isOver: () => true }, deadline: Infinity }

const stopped = { status: 'rejected', reason: { code: 'FST_IF_MATCH_LATE_WRITE' } }
const late = {
  status: 'rejected',
  reason: {
    code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE',
    cause: { message: 'Engine: it waited for longer than the timeout behind others, and was not sent.' }
  }
}

await t.test('in-time: what was stopped or waited for too long is not sent, and the others have their own outcomes', async (t) => {
  const { run } = inTime<InTime, number>('Engine', {
    async run (sent) {
      t.equal(sent.length, 2)
      return [{ status: 'fulfilled', value: 1 }, { status: 'rejected', reason: 2 }]
    }
  })
  const outcomes = await run([STOPPED, IN_TIME, LATE, { ...IN_TIME }])
  t.match(outcomes, [stopped, { status: 'fulfilled', value: 1 }, late, { status: 'rejected', reason: 2 }])
})

await t.test('in-time: nothing is sent where nothing is left', async (t) => {
  const { run } = inTime<InTime, number>('Engine', { run: () => t.fail('sent') as never })
  t.match(await run([STOPPED, LATE]), [stopped, late])
})

await t.test('in-time: the same holds for one that is alone', async (t) => {
  const { runAlone } = inTime<InTime, InTime>('Engine', {
    run: () => t.fail('together') as never,
    runAlone: async (operation) => operation
  })
  t.equal(await runAlone!(IN_TIME), IN_TIME)
  t.match(await Promise.allSettled([STOPPED, LATE].map(runAlone!)), [stopped, late])
  t.notOk('runAlone' in inTime('Engine', { run: async () => [] }), 'and there is such a way only where there was one')
})
