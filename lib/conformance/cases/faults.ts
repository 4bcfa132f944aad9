import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { WriteResult } from '../../storage/adapter.js'
import {
  ABSENT,
  ANY,
  applied,
  create,
  EXISTS,
  present,
  rejectsWith,
  same,
  tellsTheTruth,
  versionIn
} from '../assert.js'
import { listing } from './list.js'
import type { Cases } from '../harness.js'

const UNAVAILABLE = 'FST_IF_MATCH_STORAGE_UNAVAILABLE'
const UNKNOWN = 'FST_IF_MATCH_OUTCOME_UNKNOWN'

// Whether the change was certainly not applied. An outage that reads as an outcome fails here.
async function isCertainlyNot (change: () => Promise<unknown>): Promise<boolean> {
  let isCertain = false
  await rejectsWith(() => change().catch((error: { code?: unknown }) => {
    isCertain = error?.code === UNAVAILABLE
    throw error
  }), UNAVAILABLE, UNKNOWN)
  return isCertain
}

/** The engine is gone for a while: an outage is an exception, and never looks like a result. */
export const faultCases: Cases = {
  'faults: while the engine is cut off, a read rejects and never reads as absent (R59)': async (stage) => {
    await create(stage.adapter, 'k', 1)
    await stage.whileCut(async () => {
      for (const key of ['k', 'absent']) await rejectsWith(() => stage.adapter.read(key), UNAVAILABLE, UNKNOWN)
    })
    assert.equal((await present(stage.adapter, 'k')).value, 1)
    assert.equal(await stage.adapter.read('absent'), undefined)
  },

  'faults: while the engine is cut off, a write rejects whatever it expects, and what is called unavailable never appears (R59, E42)': async (stage) => {
    const version = await create(stage.adapter, 'k', 'before')
    const before = await present(stage.adapter, 'k')
    const isUntouched: Record<string, boolean> = { k: true, absent: true }
    await stage.whileCut(async () => {
      for (const expectation of [versionIn(version), versionIn('other'), EXISTS, ABSENT, ANY]) {
        for (const key of ['k', 'absent']) {
          isUntouched[key] =
            (await isCertainlyNot(() => stage.adapter.write(key, 'during', expectation))) && isUntouched[key]!
        }
      }
    })
    const after = { k: await stage.adapter.read('k'), absent: await stage.adapter.read('absent') }
    if (isUntouched.k) same(after.k, before)
    if (isUntouched.absent) assert.equal(after.absent, undefined)
  },

  'faults: while the engine is cut off, a removal rejects, and what is called unavailable never happens (R59)': async (stage) => {
    const version = await create(stage.adapter, 'k', 'before')
    const before = await present(stage.adapter, 'k')
    let isUntouched = true
    await stage.whileCut(async () => {
      for (const expectation of [versionIn(version), versionIn('other'), EXISTS]) {
        isUntouched = await isCertainlyNot(() => stage.adapter.remove('k', expectation)) && isUntouched
        await rejectsWith(() => stage.adapter.remove('absent', expectation), UNAVAILABLE, UNKNOWN)
      }
    })
    const after = await stage.adapter.read('k')
    if (isUntouched) same(after, before)
  },

  'faults: what is refused without the engine is refused without it too (E4)': async (stage) => {
    await stage.whileCut(async () => {
      await rejectsWith(() => stage.adapter.write('', 1, ANY), 'FST_IF_MATCH_INVALID_KEY')
      await rejectsWith(() => stage.adapter.write('k', NaN, ANY), 'FST_IF_MATCH_INVALID_VALUE')
    })
  },

  'faults: writes that are under way when the engine is cut off get answers that are true (E30)': async (stage) => {
    for (const lead of [0, 1, 2, 3]) {
      const keys = Array.from({ length: 8 }, (_, at) => `k${lead}-${at}`)
      const writing = keys.map((key) => stage.adapter.write(key, key, ABSENT))
      const settling = Promise.allSettled(writing)
      for (let passed = 0; passed < lead; passed++) await turn()
      let outcomes: Array<PromiseSettledResult<WriteResult>> = []
      await stage.whileCut(async () => { outcomes = await settling })
      for (const [at, outcome] of outcomes.entries()) {
        if (outcome.status === 'rejected') { assert.ok([UNAVAILABLE, UNKNOWN].includes(outcome.reason?.code), `it rejects with ${String(outcome.reason)}`) }
        await tellsTheTruth(stage.adapter, keys[at]!, outcome)
      }
    }
  },

  'faults: after mending, reads, writes and removals are as before': async (stage) => {
    await create(stage.adapter, 'k', 1)
    await stage.whileCut(async () => {
      await rejectsWith(() => stage.adapter.read('k'), UNAVAILABLE, UNKNOWN)
    })
    applied(await stage.adapter.write('k', 2, EXISTS))
    assert.equal((await present(stage.adapter, 'k')).value, 2)
    applied(await stage.adapter.remove('k', EXISTS))
    assert.equal(await stage.adapter.read('k'), undefined)
  }
}

export const listFaultCases: Cases = {
  'faults: while the engine is cut off, a listing rejects and is never empty (R59)': async (stage) => {
    await create(stage.adapter, 'notes/a', 1)
    await stage.whileCut(async () => {
      await rejectsWith(() => listing(stage.adapter, 'notes/'), UNAVAILABLE, UNKNOWN)
    })
    assert.equal((await listing(stage.adapter, 'notes/')).items.length, 1)
  }
}
