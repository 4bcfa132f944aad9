import t from 'tap'
import type { Expectation, Stored } from '../../../../lib/storage/adapter.js'
import { provenApplied } from '../../../../lib/storage/kit/lost-answer.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../../../support/expectations.js'

const lost = new Error('the connection was closed')
const expectations: Expectation[] = [versionIn('v0'), EXISTS, ABSENT, ANY]
const prove = async (expectation: Expectation, current: Stored | undefined) =>
  await provenApplied('mine', expectation, async () => current, lost)

await t.test('a write whose version is the current one was applied, and created if it replaced nothing', async (t) => {
  for (const expectation of expectations) {
    t.strictSame(await prove(expectation, { value: 1, version: 'mine', replaced: 'v0' }), {
      applied: true,
      version: 'mine',
      created: false
    })
    t.strictSame(await prove(expectation, { value: 1, version: 'mine' }), {
      applied: true,
      version: 'mine',
      created: true
    })
  }
})

await t.test('a write whose version was replaced since was applied; only the expectation tells whether it created the entity', async (t) => {
  const current = { value: 1, version: 'v2', replaced: 'mine' }
  for (const expectation of expectations.slice(0, 3)) {
    t.strictSame(await prove(expectation, current), {
      applied: true,
      version: 'mine',
      created: expectation.kind === 'absent'
    })
  }
  await t.rejects(prove(ANY, current), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: lost })
})

await t.test('any other entity proves nothing: OUTCOME_UNKNOWN, whose cause is the lost answer', async (t) => {
  for (const expectation of expectations) {
    for (const current of [undefined, { value: 1, version: 'v0' }, { value: 1, version: 'v2', replaced: 'v0' }]) {
      await t.rejects(prove(expectation, current), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', cause: lost })
    }
  }
  const fails = async () => { throw new Error('still away') }
  await t.rejects(provenApplied('mine', ANY, fails, lost), {
    code: 'FST_IF_MATCH_OUTCOME_UNKNOWN',
    cause: lost
  })
})
