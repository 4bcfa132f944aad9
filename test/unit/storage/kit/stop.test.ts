import t from 'tap'
import { throwIfStopped } from '../../../../lib/storage/kit/stop.js'

const LATE = { code: 'FST_IF_MATCH_LATE_WRITE' }

await t.test('stop: nothing stops an operation without options, or with a signal that is not aborted', async (t) => {
  for (const options of [undefined, {}, { context: 1 }, { signal: new AbortController().signal }]) {
    t.doesNotThrow(() => { throwIfStopped(options) })
  }
})

await t.test('stop: an aborted signal stops it, with the reason of the signal', async (t) => {
  const reason = new Error('enough')
  t.throws(() => { throwIfStopped({ signal: AbortSignal.abort(reason) }) }, reason)
})

await t.test('stop: isOver is asked in place of the signal, which may be made on first use', async (t) => {
  const options = (isOver: boolean) => ({
    isOver: () => isOver,
    get signal (): AbortSignal { throw new Error('made for nothing') }
  })
  t.doesNotThrow(() => { throwIfStopped(options(false)) })
  t.throws(() => { throwIfStopped(options(true)) }, LATE)
})
