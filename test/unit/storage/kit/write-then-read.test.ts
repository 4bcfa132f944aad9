import t from 'tap'
import type { Expectation, Stored } from '../../../../lib/storage/adapter.js'
import { writeThenRead } from '../../../../lib/storage/kit/write-then-read.js'

const v1: Expectation = { kind: 'version', versions: ['v1'] }
const at = (version: string): Stored => ({ value: 1, version })

/** Answers one after the other, the last one again and again; and how often it was asked. */
function answers<R> (...all: R[]) {
  const ask = Object.assign(async () => {
    ask.calls++
    return all.length > 1 ? all.shift()! : all[0]!
  }, { calls: 0 })
  return ask
}

const none = answers<{ applied: true } | undefined>(undefined)

await t.test('a write that applied is not followed by a look', async (t) => {
  const look = answers(at('v2'))
  t.strictSame(await writeThenRead(v1, answers({ applied: true as const }), look), { applied: true })
  t.equal(look.calls, 0)
})

await t.test('a refusal carries what was read after the write', async (t) => {
  t.strictSame(await writeThenRead(v1, none, answers(at('v2'))), { applied: false, current: at('v2') })
  t.strictSame(await writeThenRead(v1, none, answers<Stored | undefined>(undefined)), {
    applied: false,
    current: undefined
  })
  t.strictSame(await writeThenRead({ kind: 'absent' }, none, answers(at('v2'))), { applied: false, current: at('v2') })
})

await t.test('what would have matched is written again, and is no refusal', async (t) => {
  const cases: Array<[Expectation, Stored | undefined]> = [
    [v1, at('v1')],
    [{ kind: 'exists' }, at('v2')],
    [{ kind: 'absent' }, undefined]
  ]
  for (const [expectation, artefact] of cases) {
    const write = answers<{ applied: true } | undefined>(undefined, undefined, { applied: true })
    t.strictSame(await writeThenRead(expectation, write, answers(artefact)), { applied: true }, expectation.kind)
    t.equal(write.calls, 3)
  }
})

await t.test('a race that others win again and again is CONTENTION after 16 attempts', async (t) => {
  const write = answers<{ applied: true } | undefined>(undefined)
  await t.rejects(writeThenRead(v1, write, answers(at('v1'))), { code: 'FST_IF_MATCH_CONTENTION', message: /16/ })
  t.equal(write.calls, 16)
})

await t.test('between two attempts there is a pause', async (t) => {
  const jitter = t.capture(Math, 'random', () => 0)
  await t.rejects(writeThenRead(v1, none, answers(at('v1'))), { code: 'FST_IF_MATCH_CONTENTION' })
  t.equal(jitter().length, 15)
})
