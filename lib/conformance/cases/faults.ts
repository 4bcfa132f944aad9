import assert from 'node:assert/strict'
import type { WriteResult } from '../../storage/adapter.js'
import { assertApplied, assertCode, assertRejects, assertSame, assertTruthful } from '../assert.js'
import type { Cases } from '../harness.js'
import { turns } from '../moments.js'
import { ABSENT, ANY, create, EXISTS, list, readPresent, versionIn } from '../steps.js'

const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
const UNKNOWN = 'FST_IF_MATCH_OUTCOME_UNKNOWN'

/** An outage is an error, and never looks like a result. After UNAVAILABLE the change is never applied. */
export const faultCases: Cases = {
  'faults: during an outage a read rejects, and never reports absence': async ({ adapter, whileCut }) => {
    await create(adapter, 'k', 1)
    await whileCut(async () => {
      for (const key of ['k', 'absent']) await assertRejects(() => adapter.read(key), UNAVAILABLE, UNKNOWN)
    })
    assert.equal((await readPresent(adapter, 'k')).value, 1)
    assert.equal(await adapter.read('absent'), undefined)
  },

  'faults: during an outage a write rejects, and STORAGE_UNAVAILABLE means that it is never applied': async ({
    adapter,
    whileCut
  }) => {
    const version = await create(adapter, 'k', 'before')
    const before = await readPresent(adapter, 'k')
    const uncertain = new Set<string>()
    await whileCut(async () => {
      for (const expectation of [versionIn(version), versionIn('other'), EXISTS, ABSENT, ANY]) {
        for (const key of ['k', 'absent']) {
          const code = await assertRejects(() => adapter.write(key, 'during', expectation), UNAVAILABLE, UNKNOWN)
          if (code === UNKNOWN) uncertain.add(key)
        }
      }
    })
    const after = { k: await adapter.read('k'), absent: await adapter.read('absent') }
    if (!uncertain.has('k')) assertSame(after.k, before)
    if (!uncertain.has('absent')) assert.equal(after.absent, undefined)
  },

  'faults: during an outage a removal rejects, and STORAGE_UNAVAILABLE means that it is never applied': async ({
    adapter,
    whileCut
  }) => {
    const version = await create(adapter, 'k', 'before')
    const before = await readPresent(adapter, 'k')
    let isCertain = true
    await whileCut(async () => {
      for (const expectation of [versionIn(version), versionIn('other'), EXISTS]) {
        const code = await assertRejects(() => adapter.remove('k', expectation), UNAVAILABLE, UNKNOWN)
        if (code === UNKNOWN) isCertain = false
        await assertRejects(() => adapter.remove('absent', expectation), UNAVAILABLE, UNKNOWN)
      }
    })
    const after = await adapter.read('k')
    if (isCertain) assertSame(after, before)
  },

  'faults: during an outage bad keys get INVALID_KEY, and bad values INVALID_VALUE or NOT_JSON': async ({
    adapter,
    whileCut
  }) => {
    await whileCut(async () => {
      await assertRejects(() => adapter.write('', 1, ANY), 'FST_IF_MATCH_INVALID_KEY')
      await assertRejects(() => adapter.write('k', Infinity, ANY), 'FST_IF_MATCH_INVALID_VALUE')
      await assertRejects(() => adapter.write('k', NaN, ANY), 'FST_IF_MATCH_NOT_JSON')
    })
  },

  'faults: writes in flight when an outage starts are answered truthfully': async ({ adapter, whileCut }) => {
    for (const turnsAhead of [0, 1, 2, 3]) {
      const keys = Array.from({ length: 8 }, (_, index) => `k${turnsAhead}-${index}`)
      const settling = Promise.allSettled(keys.map((key) => adapter.write(key, key, ABSENT)))
      await turns(turnsAhead)
      let answers: Array<PromiseSettledResult<WriteResult>> = []
      await whileCut(async () => { answers = await settling })
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'rejected') assertCode(answer.reason, [UNAVAILABLE, UNKNOWN])
        await assertTruthful(adapter, [keys[index]!], answer)
      }
    }
  },

  'faults: after an outage reads, writes and removals work as before': async ({ adapter, whileCut }) => {
    await create(adapter, 'k', 1)
    await whileCut(async () => {
      await assertRejects(() => adapter.read('k'), UNAVAILABLE, UNKNOWN)
    })
    assertApplied(await adapter.write('k', 2, EXISTS))
    assert.equal((await readPresent(adapter, 'k')).value, 2)
    assertApplied(await adapter.remove('k', EXISTS))
    assert.equal(await adapter.read('k'), undefined)
  }
}

export const listFaultCases: Cases = {
  'faults: during an outage a listing rejects, and is never empty': async ({ adapter, whileCut }) => {
    await create(adapter, 'notes/a', 1)
    await whileCut(async () => {
      await assertRejects(() => list(adapter, 'notes/'), UNAVAILABLE, UNKNOWN)
    })
    assert.equal((await list(adapter, 'notes/')).items.length, 1)
  }
}
