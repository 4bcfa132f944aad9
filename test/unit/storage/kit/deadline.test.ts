import t from 'tap'
import { within } from '../../../../lib/storage/kit/deadline.js'

const late = () => new Error('late')

await t.test('within: a promise that settles in time is passed on as it is', async (t) => {
  t.equal(await within(60_000, Promise.resolve(1), late), 1)
  await t.rejects(within(60_000, Promise.reject(new Error('its own')), late), { message: 'its own' })
})

await t.test('within: a promise that does not settle in time gives the error of the caller; its later rejection is ignored', async (t) => {
  let fail = () => {}
  const failing = new Promise<never>((_resolve, reject) => { fail = () => { reject(new Error('too late to matter')) } })
  await t.rejects(within(1, failing, late), { message: /^late$/ })
  fail()
  await new Promise(setImmediate)
})

await t.test('within: no timer is left behind that would keep the process running', async (t) => {
  await within(60_000, Promise.resolve(1), late)
  t.notOk(process.getActiveResourcesInfo().includes('Timeout'))
})
