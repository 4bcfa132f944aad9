import t from 'tap'
import { sendInTime, type InTime } from '../../../../lib/storage/kit/in-time.js'

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
  const outcomes = await sendInTime('Engine', [STOPPED, IN_TIME, LATE, { ...IN_TIME }], async (sent) => {
    t.equal(sent.length, 2)
    return [{ status: 'fulfilled', value: 1 }, { status: 'rejected', reason: 2 }]
  })
  t.match(outcomes, [stopped, { status: 'fulfilled', value: 1 }, late, { status: 'rejected', reason: 2 }])
})

await t.test('in-time: nothing is sent where nothing is left', async (t) => {
  t.match(await sendInTime('Engine', [STOPPED, LATE], () => t.fail('sent') as never), [stopped, late])
})
