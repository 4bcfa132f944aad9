import t from 'tap'
import type { Expectation, Stored } from '../../../../lib/storage/adapter.js'
import { writeThenRead } from '../../../../lib/storage/kit/write-then-read.js'
import { ABSENT, EXISTS, versionIn } from '../../../support/expectations.js'

const v1 = versionIn('v1')
const stored = (version: string): Stored => ({ value: 1, version })

/** A function that gives these answers one after the other, and then the last one again. It counts its calls. */
function answers<R> (...all: R[]) {
  const ask = Object.assign(async () => {
    ask.calls++
    return all.length > 1 ? all.shift()! : all[0]!
  }, { calls: 0 })
  return ask
}

const none = answers<{ applied: true } | undefined>(undefined)

await t.test('a write that was applied is not followed by a read', async (t) => {
  const readCurrent = answers(stored('v2'))
  t.strictSame(await writeThenRead(v1, answers({ applied: true as const }), readCurrent), { applied: true })
  t.equal(readCurrent.calls, 0)
})

await t.test('a refusal carries the entity that was read after the write', async (t) => {
  t.strictSame(await writeThenRead(v1, none, answers(stored('v2'))), { applied: false, current: stored('v2') })
  t.strictSame(await writeThenRead(v1, none, answers<Stored | undefined>(undefined)), {
    applied: false,
    current: undefined
  })
  t.strictSame(await writeThenRead(ABSENT, none, answers(stored('v2'))), { applied: false, current: stored('v2') })
})

await t.test('if the entity that is read would have matched, the write is tried again, and is not refused', async (t) => {
  const cases: Array<[Expectation, Stored | undefined]> = [
    [v1, stored('v1')],
    [EXISTS, stored('v2')],
    [ABSENT, undefined]
  ]
  for (const [expectation, current] of cases) {
    const write = answers<{ applied: true } | undefined>(undefined, undefined, { applied: true })
    t.strictSame(await writeThenRead(expectation, write, answers(current)), { applied: true }, expectation.kind)
    t.equal(write.calls, 3)
  }
})

await t.test('a race that other writers win in each attempt is CONTENTION after 16 attempts', async (t) => {
  const attempts: number[] = []
  const write = async (attempt: number) => { attempts.push(attempt) }
  await t.rejects(
    writeThenRead(v1, write as () => Promise<undefined>, answers(stored('v1'))),
    { code: 'FST_IF_MATCH_CONTENTION', message: /16/ }
  )
  t.strictSame(attempts, Array.from({ length: 16 }, (_, index) => index + 1), 'each is told its number')
})

await t.test('between two attempts there is a pause', async (t) => {
  const jitter = t.capture(Math, 'random', () => 0)
  await t.rejects(writeThenRead(v1, none, answers(stored('v1'))), { code: 'FST_IF_MATCH_CONTENTION' })
  t.equal(jitter().length, 15)
})
