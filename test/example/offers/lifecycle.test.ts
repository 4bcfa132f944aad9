import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { cancel, goLive, isActive, publish, settle, versionOf } from '../../../example/offers/lifecycle.js'
import { statusOf } from '../../../example/offers/offer.js'
import type { OfferRecord } from '../../../example/offers/record.js'
import {
  DOCUMENT,
  FLAWED,
  frozen,
  named,
  newest,
  published,
  put,
  START,
  states,
  STEP
} from '../../support/example/publications.js'

const SIGN_OFF = START + 4 * STEP
const REJECTED = START + 2 * STEP

const from = { neverPublished: () => put(), ...states }

await t.test('each state has its status, and three of them are active', async (t) => {
  const statuses = Object.fromEntries(Object.entries(from).map(([name, record]) => [name, statusOf(record())]))
  t.strictSame(statuses, {
    neverPublished: 'neverPublished',
    running: 'running',
    waiting: 'waitingForPublisherReview',
    goingLive: 'running',
    live: 'succeeded',
    failed: 'failed',
    canceled: 'canceled'
  })
  const active = Object.entries(from).filter(([, record]) => isActive(record().submissions[0])).map(([name]) => name)
  t.strictSame(active, ['running', 'waiting', 'goingLive'])
})

await t.test('publish: without an active publication, the draft is the next version, and its steps begin (reading 16)', async (t) => {
  for (const state of ['neverPublished', 'live', 'failed', 'canceled'] as const) {
    const before = frozen(put(named(state), from[state](), START + 20 * STEP))
    const after = publish(before, { id: 'new', emails: 'a@example.org', stepMs: 7, now: START + 21 * STEP })
    const version = versionOf(before) + 1
    t.strictSame(
      newest(after),
      { id: 'new', state: 'running', version, emails: 'a@example.org', stepMs: 7, startedAt: START + 21 * STEP },
      state
    )
    t.strictSame(after.versions, [...before.versions, { ...before.draft, version }], state)
    t.strictSame(after.submissions.slice(1), before.submissions, state)
    t.strictSame([after.slots, after.draft], [before.slots, before.draft], state)
  }
})

await t.test('publish: while the same draft is being published, nothing changes (reading 21)', async (t) => {
  for (const state of ['running', 'waiting', 'goingLive'] as const) {
    const before = frozen(from[state]())
    t.equal(publish(before, { id: 'new', emails: 'other', stepMs: 7, now: START + 20 * STEP }), before, state)
    const again = frozen(put(DOCUMENT, before, START + 12 * STEP))
    t.equal(
      publish(again, { id: 'new', emails: '', stepMs: 7, now: START + 20 * STEP }),
      again,
      `${state}: also if it was PUT again`
    )
  }
})

await t.test('publish: while another draft is being published, it is 400, also for a draft that was published before (reading 21)', async (t) => {
  for (const state of ['running', 'waiting', 'goingLive'] as const) {
    const changed = frozen(put(named('other'), from[state]()))
    t.throws(
      () => published(changed, { id: 'new' }),
      { statusCode: 400, code: 'OperationInProgress', message: /cancel/ },
      state
    )
  }
  const second = put(DOCUMENT, published(put(named('second'), from.live()), { id: 'p2' }))
  t.throws(() => published(second, { id: 'p3' }), { code: 'OperationInProgress', message: /cancel/ })
})

await t.test('publish: a draft that cannot be published is 422, in each state (reading 19)', async (t) => {
  for (const [state, record] of Object.entries(from)) {
    const before = frozen(put({ offerTypeId: DOCUMENT.offerTypeId }, record()))
    t.throws(
      () => published(before),
      { statusCode: 422, code: 'OfferNotPublishable', message: /because definition\/displayText is empty/ },
      state
    )
  }
})

await t.test('publish: a flaw of an image is known to the publication, and does not refuse it (reading 19)', async (t) => {
  t.match(newest(published(put(FLAWED))), { state: 'running', flaw: /osVhdUrl/ })
  t.notOk('flaw' in newest(published()))
})

await t.test('golive: the version in preview goes on, and keeps its publication (reading 22)', async (t) => {
  const before = frozen(from.waiting())
  const after = goLive(before, { id: 'g', now: START + 9 * STEP })
  t.strictSame(after, {
    ...before,
    submissions: [{ ...newest(before), state: 'running', goLive: { id: 'g', startedAt: START + 9 * STEP } }]
  })
  t.strictSame(after.slots, { preview: 1 }, 'production is filled when the step is over')
})

await t.test('golive: in each other state it is 400 (reading 22)', async (t) => {
  for (const [state, record] of Object.entries(from)) {
    if (state === 'waiting') continue
    t.throws(
      () => goLive(frozen(record()), { id: 'g', now: START + 20 * STEP }),
      { statusCode: 400, code: 'NotWaitingForSignoff', message: /publish/ },
      state
    )
  }
  t.throws(
    () => goLive(frozen(published()), { id: 'g', now: SIGN_OFF }),
    { code: 'NotWaitingForSignoff', message: /publish/ },
    'a transition that is due is not applied here, but by settle'
  )
})

await t.test('cancel: the active publication ends, and preview is emptied; the live version stays live (reading 23)', async (t) => {
  const now = START + 12 * STEP
  for (const state of ['running', 'waiting', 'goingLive'] as const) {
    const before = frozen({ ...from[state](), versions: [...from.live().versions, ...from[state]().versions] })
    const withLive: OfferRecord = frozen({ ...before, slots: { ...before.slots, production: 7 } })
    t.strictSame(
      cancel(withLive, now),
      { ...withLive, slots: { production: 7 }, submissions: [{ ...newest(before), state: 'canceled', endedAt: now }] },
      state
    )
    t.strictSame(cancel(before, now).slots, {}, state)
  }
})

await t.test('cancel: without an active publication nothing changes (reading 23)', async (t) => {
  for (const state of ['neverPublished', 'live', 'failed', 'canceled'] as const) {
    const before = frozen(from[state]())
    t.equal(cancel(before, START + 20 * STEP), before, state)
  }
})

await t.test('PUT: in each state the draft changes, and nothing else (reading 15)', async (t) => {
  for (const [state, record] of Object.entries(from)) {
    const { draft, ...before } = frozen(record())
    const { draft: changed, ...after } = put(named('changed'), { draft, ...before }, START + 20 * STEP)
    t.strictSame(after, before, state)
    t.match(changed, { content: { definition: { displayText: 'changed' } } }, state)
  }
})

await t.test('settle: each transition at the millisecond at which it is due, and not before (decision 0011)', async (t) => {
  const transitions: Array<[OfferRecord, number, Partial<OfferRecord['submissions'][0]>, OfferRecord['slots']]> = [
    [from.running(), SIGN_OFF, { state: 'waitingForPublisherReview', signOffAt: SIGN_OFF }, { preview: 1 }],
    [from.goingLive(), START + 11 * STEP, { state: 'succeeded', endedAt: START + 11 * STEP }, { production: 1 }],
    [published(put(FLAWED)), REJECTED, { state: 'failed', endedAt: REJECTED }, {}]
  ]
  for (const [record, dueAt, changes, slots] of transitions) {
    const before = frozen(record)
    t.equal(settle(before, dueAt - 1), before, 'one before')
    const expected = { ...before, slots, submissions: [{ ...newest(before), ...changes }] }
    for (const noticedAt of [dueAt, dueAt + 1, dueAt + 1e9]) {
      t.strictSame(settle(before, noticedAt), expected, 'dated when it was due, not when it was noticed')
    }
  }
})

await t.test('settle: the same object if nothing is due, however late it is', async (t) => {
  for (const state of ['neverPublished', 'waiting', 'live', 'failed', 'canceled'] as const) {
    const before = frozen(from[state]())
    for (const now of [-Infinity, 0, START, SIGN_OFF, Number.MAX_SAFE_INTEGER]) {
      t.equal(settle(before, now), before, state)
    }
  }
})

await t.test('settle: twice is once, so processes and restarts agree (decision 0011)', async (t) => {
  for (const record of Object.values(from)) {
    for (const now of [START, REJECTED, SIGN_OFF, START + 11 * STEP, START + 1e9]) {
      const once = frozen(settle(frozen(record()), now))
      t.equal(settle(once, now), once)
      t.strictSame(settle(once, now + 1e9), settle(record(), now + 1e9), 'in two steps the same as in one')
    }
  }
})

await t.test('settle: the sign-off fills preview and leaves production, which changes when golive is over', async (t) => {
  const second = published(put(named('second'), from.live()), { id: 'p2', now: START + 20 * STEP })
  const waiting = settle(second, START + 24 * STEP)
  t.strictSame(waiting.slots, { production: 1, preview: 2 })
  const goingLive = goLive(waiting, { id: 'g2', now: START + 30 * STEP })
  t.strictSame(settle(goingLive, START + 31 * STEP - 1).slots, { production: 1, preview: 2 })
  t.strictSame(settle(goingLive, START + 31 * STEP).slots, { production: 2 })
})

await t.test('a failed publication leaves preview empty, and the live version as it was (reading 19)', async (t) => {
  const failed = settle(published(put(FLAWED, from.live()), { id: 'p2', now: START + 20 * STEP }), START + 22 * STEP)
  t.equal(statusOf(failed), 'failed')
  t.strictSame(failed.slots, { production: 1 })
})

await t.test('a clock that goes backwards: nothing is undone, and nothing happens early', async (t) => {
  const waiting = frozen(from.waiting())
  t.equal(settle(waiting, START - 1e6), waiting)
  const running = frozen(from.running())
  t.equal(settle(running, START - 1e6), running)
  const goingLive = frozen(goLive(waiting, { id: 'g', now: START }))
  t.equal(settle(goingLive, START - 1), goingLive)
  t.equal(newest(settle(goingLive, START + STEP)).endedAt, START + STEP, 'a step of golive lasts as long as any')
  t.match(newest(cancel(running, START - 5)), { state: 'canceled', endedAt: START - 5 })
})

await t.test('a publication keeps the length of its steps, so processes with other settings agree (decision 0011)', async (t) => {
  const slow = frozen(published(put(), { stepMs: 10 * STEP }))
  t.equal(settle(slow, START + 40 * STEP - 1), slow)
  const waiting = settle(slow, START + 40 * STEP)
  const goingLive = frozen(goLive(waiting, { id: 'g', now: START + 50 * STEP }))
  t.equal(settle(goingLive, START + 60 * STEP - 1), goingLive)
  t.equal(newest(settle(goingLive, START + 60 * STEP)).endedAt, START + 60 * STEP)
})

await t.test('each state is JSON, and comes back from a storage as it was', async (t) => {
  const storage = memoryAdapter<OfferRecord>()
  for (const [state, record] of Object.entries({ ...from, flawed: () => published(put(FLAWED)) })) {
    t.strictSame(JSON.parse(JSON.stringify(record())), record(), state)
    await storage.write(state, record(), { kind: 'any' })
    t.strictSame((await storage.read(state))?.value, record(), state)
  }
})
