import t from 'tap'
import { ConstraintError } from '../../../../lib/errors.js'
import type { Expectation, Stored } from '../../../../lib/storage/adapter.js'
import { writeThenRead } from '../../../../lib/storage/kit/write-then-read.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../../support/expectations.js'
import { withoutPauses } from '../../../support/without-pauses.js'

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

/** Reads of an entity that another writer replaced before each. */
function replacedEachTime () {
  let reads = 0
  return async () => stored(`v${++reads}`)
}

await t.test('a race that other writers win in each attempt is CONTENTION after 16 attempts', async (t) => {
  const attempts: number[] = []
  const write = async (attempt: number) => { attempts.push(attempt) }
  await t.rejects(
    writeThenRead(EXISTS, write as () => Promise<undefined>, replacedEachTime()),
    { code: 'FST_IF_MATCH_CONTENTION', message: /16/ }
  )
  t.strictSame(attempts, Array.from({ length: 16 }, (_, index) => index + 1), 'each is told its number')
})

await t.test('between two attempts there is a pause', async (t) => {
  const jitter = t.capture(Math, 'random', () => 0)
  await t.rejects(writeThenRead(EXISTS, none, replacedEachTime()), { code: 'FST_IF_MATCH_CONTENTION' })
  t.equal(jitter().length, 15)
})

const NOTHING = {
  code: 'FST_IF_MATCH_STORAGE_FAULT', statusCode: 500, message: /does nothing.*marked as deleted.*trigger/
}

await t.test('a write that does nothing while the version stays is a fault of the storage: nobody wrote in between', async (t) => {
  withoutPauses(t)
  for (const expectation of [v1, EXISTS, ANY]) {
    const write = answers<{ applied: true } | undefined>(undefined)
    await t.rejects(writeThenRead(expectation, write, answers(stored('v1'))), NOTHING, expectation.kind)
    t.equal(write.calls, 4)
  }
  const late = answers(stored('v1'), stored('v1'), stored('v1'), stored('v2'), stored('v1'), stored('v3'), undefined)
  t.strictSame(await writeThenRead(EXISTS, none, late), { applied: false, current: undefined }, 'others wrote at times')
})

await t.test('a creation that does nothing though each read finds nothing is a fault; if one read finds something under `any`, it is contention', async (t) => {
  withoutPauses(t)
  for (const expectation of [ABSENT, ANY]) {
    const write = answers<{ applied: true } | undefined>(undefined)
    await t.rejects(writeThenRead(expectation, write, answers<Stored | undefined>(undefined)), NOTHING)
    t.equal(write.calls, 16, 'others may create and remove it between two reads, but not each time')
  }
  const once = answers<Stored | undefined>(undefined, undefined, stored('v1'), undefined)
  await t.rejects(writeThenRead(ANY, none, once), { code: 'FST_IF_MATCH_CONTENTION' })
})

/** A write that a constraint refuses, so many times; then it is applied. */
function constrained (times: number) {
  return async () => {
    if (times-- > 0) throw new ConstraintError()
    return { applied: true as const }
  }
}

await t.test('a constraint is a refusal if the entity does not satisfy the expectation any more; else it stands', async (t) => {
  withoutPauses(t)
  const cases: Array<[Expectation, Stored | undefined, Stored | undefined]> = [
    [ABSENT, stored('v2'), undefined],
    [v1, stored('v2'), stored('v1')],
    [EXISTS, undefined, stored('v1')]
  ]
  for (const [expectation, stale, holds] of cases) {
    const read = answers(stale)
    t.strictSame(await writeThenRead(expectation, constrained(9), read), { applied: false, current: stale })
    t.equal(read.calls, 1)
    const times = expectation === ABSENT ? 4 : 1
    await t.rejects(writeThenRead(expectation, constrained(times), answers(holds)), { code: 'FST_IF_MATCH_CONSTRAINT' })
  }
})

await t.test('a creation meets a constraint four times before it stands, because others may create and remove the entity meanwhile', async (t) => {
  withoutPauses(t)
  for (const [expectation, current] of [[ANY, stored('v2')], [ANY, undefined], [ABSENT, undefined]] as const) {
    t.strictSame(await writeThenRead(expectation, constrained(3), answers(current)), { applied: true })
    await t.rejects(writeThenRead(expectation, constrained(4), answers(current)), { code: 'FST_IF_MATCH_CONSTRAINT' })
  }
})

await t.test('where nothing can be read after a constraint, as in a transaction that it ended, the constraint stands; other errors are followed by no read', async (t) => {
  const failing = async () => { throw new Error('25P02') }
  await t.rejects(writeThenRead(ABSENT, constrained(1), failing), { code: 'FST_IF_MATCH_CONSTRAINT' })
  const read = answers(stored('v2'))
  await t.rejects(writeThenRead(ABSENT, failing, read), { message: '25P02' })
  t.equal(read.calls, 0)
})
