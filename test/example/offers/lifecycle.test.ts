import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { cancel, goLive, isActive, publish, settle, versionOf } from '../../../example/offers/lifecycle.js'
import { MAX_DOCUMENT, MAX_HISTORY, sizeOf } from '../../../example/offers/limits.js'
import { slotOf, statusOf } from '../../../example/offers/offer.js'
import type { OfferRecord, Submission } from '../../../example/offers/record.js'
import type { OfferDocument } from '../../../example/offers/schemas.js'
import { DOCUMENT, FLAWED, newest, published, put, START, states, STEP } from '../../support/example/publications.js'

const SIGN_OFF = START + 4 * STEP
const REJECTED = START + 2 * STEP
const named = (displayText: string) => ({ ...DOCUMENT, definition: { ...DOCUMENT.definition, displayText } })

const from = { neverPublished: () => put(), ...states }

/** So that nothing can change it in place. */
function frozen<T> (value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) frozen(member)
    Object.freeze(value)
  }
  return value
}

await t.test('each state has its status, and two of them are on their way (CPP §7)', async (t) => {
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

await t.test('publish: where nothing is on its way, the draft is the next version, and its steps begin (CPP §8, reading 16)', async (t) => {
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

await t.test('publish: while the same draft is on its way, it is that publication, and nothing changes (reading 21)', async (t) => {
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

await t.test('publish: while another draft is on its way, it is 400, also for one that was published before (reading 21)', async (t) => {
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

await t.test('publish: a draft that cannot be published is 422, in each state (CPP §3, reading 19)', async (t) => {
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

await t.test('golive: the version in preview goes on, and keeps its publication (CPP §8, reading 22)', async (t) => {
  const before = frozen(from.waiting())
  const after = goLive(before, { id: 'g', now: START + 9 * STEP })
  t.strictSame(after, {
    ...before,
    submissions: [{ ...newest(before), state: 'running', goLive: { id: 'g', startedAt: START + 9 * STEP } }]
  })
  t.strictSame(after.slots, { preview: 1 }, 'production is filled when that is over')
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
    'what is due is for settle to say'
  )
})

await t.test('cancel: what is on its way ends, and is in preview no longer; what is live stays live (CPP §8, reading 23)', async (t) => {
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

await t.test('cancel: where nothing is on its way, nothing changes (CPP §8, reading 23)', async (t) => {
  for (const state of ['neverPublished', 'live', 'failed', 'canceled'] as const) {
    const before = frozen(from[state]())
    t.equal(cancel(before, START + 20 * STEP), before, state)
  }
})

await t.test('PUT: in each state the draft changes, and nothing else (CPP §8, reading 15)', async (t) => {
  for (const [state, record] of Object.entries(from)) {
    const { draft, ...before } = frozen(record())
    const { draft: changed, ...after } = put(named('changed'), { draft, ...before }, START + 20 * STEP)
    t.strictSame(after, before, state)
    t.match(changed, { content: { definition: { displayText: 'changed' } } }, state)
  }
})

await t.test('settle: each transition at the millisecond at which it is due, and not before (CPP §8, DESIGN 5)', async (t) => {
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
      t.strictSame(
        settle(before, noticedAt),
        expected,
        'the time at which it was due counts, not the one at which somebody noticed'
      )
    }
  }
})

await t.test('settle: the same object where nothing is due, however late it is', async (t) => {
  for (const state of ['neverPublished', 'waiting', 'live', 'failed', 'canceled'] as const) {
    const before = frozen(from[state]())
    for (const now of [-Infinity, 0, START, SIGN_OFF, Number.MAX_SAFE_INTEGER]) { t.equal(settle(before, now), before, state) }
  }
})

await t.test('settle: twice is once, so processes and restarts agree (DESIGN 5)', async (t) => {
  for (const record of Object.values(from)) {
    for (const now of [START, REJECTED, SIGN_OFF, START + 11 * STEP, START + 1e9]) {
      const once = frozen(settle(frozen(record()), now))
      t.equal(settle(once, now), once)
      t.strictSame(settle(once, now + 1e9), settle(record(), now + 1e9), 'and in two goes what it is in one')
    }
  }
})

await t.test('settle: a slot that is filled already gives way; what was live stays until golive is over', async (t) => {
  const second = published(put(named('second'), from.live()), { id: 'p2', now: START + 20 * STEP })
  const waiting = settle(second, START + 24 * STEP)
  t.strictSame(waiting.slots, { production: 1, preview: 2 })
  const goingLive = goLive(waiting, { id: 'g2', now: START + 30 * STEP })
  t.strictSame(settle(goingLive, START + 31 * STEP - 1).slots, { production: 1, preview: 2 })
  t.strictSame(settle(goingLive, START + 31 * STEP).slots, { production: 2 })
})

await t.test('a failed publication leaves no preview, and what is live as it was (reading 19)', async (t) => {
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

await t.test('a publication keeps the length of its steps, so processes with other settings agree (DESIGN 5)', async (t) => {
  const slow = frozen(published(put(), { stepMs: 10 * STEP }))
  t.equal(settle(slow, START + 40 * STEP - 1), slow)
  const waiting = settle(slow, START + 40 * STEP)
  const goingLive = frozen(goLive(waiting, { id: 'g', now: START + 50 * STEP }))
  t.equal(settle(goingLive, START + 60 * STEP - 1), goingLive)
  t.equal(newest(settle(goingLive, START + 60 * STEP)).endedAt, START + 60 * STEP)
})

await t.test('150 publications: 100 are remembered, the one that is live and the newest (reading 16)', async (t) => {
  let record = from.live()
  const ids = ['p1']
  for (let at = 2; at <= 150; at++) {
    record = cancel(published(put(named(`draft ${at}`), record), { id: `p${at}` }), START)
    ids.unshift(`p${at}`)
    t.equal(versionOf(record), at)
  }
  t.strictSame(record.submissions.map(({ id }) => id), [...ids.slice(0, 99), 'p1'])
  t.strictSame(record.versions.map(({ version }) => version), [1, ...Array.from({ length: 99 }, (_, at) => at + 52)])
  t.match(slotOf(record, 'production'), { version: 1, definition: { displayText: 'Tide DB' } })
  const last = goLive(settle(published(record, { id: 'last' }), SIGN_OFF), { id: 'g', now: SIGN_OFF })
  t.strictSame(last.slots, { production: 1, preview: 151 })
  t.ok(last.versions.some(({ version }) => version === 1), 'while its successor goes live')
  const after = cancel(published(put(named('next'), settle(last, SIGN_OFF + STEP))), START)
  t.notOk(after.versions.some(({ version }) => version === 1), 'once it is not live any more, it is forgotten')
  t.strictSame([after.versions.length, after.submissions.length], [100, 100])
})

await t.test('the size of an offer stays below a mebibyte, whatever is published how often (reading 16)', async (t) => {
  // The most that each text can take: documents of the last byte, names and addresses that JSON escapes.
  const planId = '\u0000'.repeat(MAX_DOCUMENT / 6 - 50)
  const emails = '\u0000'.repeat(2000)
  const flawedPlan = { planId, 'microsoft-azure-virtualmachines.vmImages': { ['\u0001'.repeat(20)]: {} } }
  const filled = (document: OfferDocument): OfferDocument =>
    ({ ...document, fill: 'x'.repeat(MAX_DOCUMENT - sizeOf({ ...document, fill: '' })) }) as OfferDocument
  const largest = filled(DOCUMENT)
  const flawed = filled({ ...DOCUMENT, definition: { displayText: 'x', plans: [flawedPlan] } })
  for (const document of [largest, flawed]) t.equal(sizeOf(put(document).draft.content), MAX_DOCUMENT)

  let record = settle(
    goLive(settle(published(put(largest), { emails }), SIGN_OFF), { id: 'g', now: SIGN_OFF }),
    SIGN_OFF + STEP
  )
  for (let at = 2; at <= 12; at++) {
    for (const document of [flawed, largest, DOCUMENT]) {
      const running = put(largest, published(put(document, record), { id: `p${at}`, emails }))
      record = settle(running, SIGN_OFF)
      t.ok(Math.max(sizeOf(running), sizeOf(record)) < 2 ** 20, `${sizeOf(record)}`)
      t.strictSame(
        [record.slots.production, record.versions[0]!.version, record.submissions.at(-1)!.id],
        [1, 1, 'p1'],
        'what is live is remembered'
      )
      t.equal(newest(record).version, versionOf(record))
      t.strictSame(
        record.submissions.map(({ version }) => version),
        record.versions.map(({ version }) => version).reverse(),
        'a version and its submission are remembered together'
      )
      record = cancel(record, SIGN_OFF)
    }
  }
  t.ok(sizeOf(record) > 2 ** 19, 'and it is used')
})

await t.test('publish: what is live and what is newest stay, however much they take: a limit that was lowered is one for what is new (reading 16)', async (t) => {
  const large = { ...DOCUMENT, fill: 'x'.repeat(MAX_HISTORY) }
  const live = put(large, { ...states.live(), versions: [{ content: large, changedTime: '', version: 1 }] })
  const after = frozen(published(frozen(live), { id: 'p2' }))
  t.strictSame(
    [after.versions.map(({ version }) => version), after.submissions.map(({ id }) => id)],
    [
      [1, 2],
      ['p2', 'p1']
    ]
  )
  t.equal(slotOf(after, 'production').version, 1)
  const third = published(put(named('small'), cancel(after, SIGN_OFF)), { id: 'p3' })
  t.strictSame(third.versions.map(({ version }) => version), [1, 3], 'and nothing else does')
  t.equal(versionOf(published(put(large))), 1, 'the first publication')
})

await t.test('each state is JSON, and comes back from a storage as it was', async (t) => {
  const storage = memoryAdapter<OfferRecord>()
  for (const [state, record] of Object.entries({ ...from, flawed: () => published(put(FLAWED)) })) {
    t.strictSame(JSON.parse(JSON.stringify(record())), record(), state)
    await storage.write(state, record(), { kind: 'any' })
    t.strictSame((await storage.read(state))?.value, record(), state)
  }
})

// mulberry32: small, and the same everywhere.
function random (seed: number): (limit: number) => number {
  return (limit) => {
    seed = (seed + 0x6d2b79f5) | 0
    let z = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return Math.floor(((z ^ (z >>> 14)) >>> 0) / 2 ** 32 * limit)
  }
}

/** The state machine of CPP §8, without a record: what is where, and what happens when. */
class Model {
  status = 'neverPublished'
  draft = 'a'
  publishing = ''
  version = 0
  preview: number | undefined
  production: number | undefined
  next: { at: number, what: 'signOff' | 'fail' | 'live' } | undefined

  tick (now: number): void {
    if (this.next === undefined || now < this.next.at) return
    const { what } = this.next
    this.next = undefined
    this.status = { signOff: 'waitingForPublisherReview', fail: 'failed', live: 'succeeded' }[what]
    if (what === 'signOff') this.preview = this.version
    if (what === 'live') [this.production, this.preview] = [this.version, undefined]
  }

  get isOnItsWay (): boolean {
    return this.status === 'running' || this.status === 'waitingForPublisherReview'
  }

  /** The code of the refusal, if it is one. */
  publish (now: number, stepMs: number): string | undefined {
    if (this.draft === '') return 'OfferNotPublishable'
    if (this.isOnItsWay) return this.publishing === this.draft ? undefined : 'OperationInProgress'
    Object.assign(this, { status: 'running', publishing: this.draft, version: this.version + 1 })
    this.next =
      this.draft === 'flawed' ? { at: now + 2 * stepMs, what: 'fail' } : { at: now + 4 * stepMs, what: 'signOff' }
    return undefined
  }

  goLive (now: number, stepMs: number): string | undefined {
    if (this.status !== 'waitingForPublisherReview') return 'NotWaitingForSignoff'
    Object.assign(this, { status: 'running', next: { at: now + stepMs, what: 'live' } })
    return undefined
  }

  cancel (): void {
    if (this.isOnItsWay) Object.assign(this, { status: 'canceled', preview: undefined, next: undefined })
  }
}

function isLive ({ state, goLive }: Submission): boolean {
  return state === 'succeeded' && goLive !== undefined
}

function codeOf (act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

await t.test('a random walk keeps to the state machine of CPP §8, in whatever order things happen', async (t) => {
  const drafts = { a: DOCUMENT, b: named('b'), flawed: FLAWED, '': named('') }
  const refusals = new Set<string | undefined>()
  const statuses = new Set<string>()
  const wrong: string[] = []
  for (let seed = 1; seed <= 300 && wrong.length === 0; seed++) {
    const pick = random(seed)
    const model = new Model()
    let record = frozen(put())
    let now = START
    let stepMs = STEP
    for (let turn = 0; turn < 100; turn++) {
      const before = record
      const step = ['publish', 'golive', 'cancel', 'put', 'wait', 'wait', 'look'][pick(7)]!
      const id = `${seed}-${turn}`
      if (step !== 'put' || pick(2) === 0) {
        record = frozen(settle(record, now))
        model.tick(now)
      }
      const settled = record
      let [got, wanted]: Array<string | undefined> = [undefined, undefined]
      if (step === 'publish') {
        stepMs = isActive(record.submissions[0]) ? stepMs : [STEP, 1, 777][pick(3)]!
        wanted = model.publish(now, stepMs)
        got = codeOf(() => { record = frozen(publish(record, { id, emails: '', stepMs, now })) })
      } else if (step === 'golive') {
        wanted = model.goLive(now, stepMs)
        got = codeOf(() => { record = frozen(goLive(record, { id, now })) })
      } else if (step === 'cancel') {
        model.cancel()
        record = frozen(cancel(record, now))
      } else if (step === 'put') {
        model.draft = Object.keys(drafts)[pick(4)]!
        record = frozen(put(drafts[model.draft as keyof typeof drafts], record, now))
      } else if (step === 'wait') {
        now += [1, stepMs - 1, stepMs, 2 * stepMs, 4 * stepMs, -stepMs][pick(6)]!
      }
      const { slots, versions, submissions } = record
      const seen = {
        status: statusOf(record),
        version: versionOf(record),
        preview: slots.preview,
        production: slots.production,
        code: got
      }
      const expected = {
        status: model.status,
        version: model.version,
        preview: model.preview,
        production: model.production,
        code: wanted
      }
      const kept = versions.map(({ version }) => version)
      const rules: Record<string, boolean> = {
        'the model': JSON.stringify(seen) === JSON.stringify(expected),
        'at most one publication is on its way, and it is the newest': submissions
          .slice(1)
          .every((submission) => !isActive(submission)),
        'slots point to versions that are there': Object.values(slots).every((slot) => kept.includes(slot)),
        'production changes by a golive that is over alone':
          slots.production === settled.slots.production &&
          (slots.production === before.slots.production ||
            (isLive(newest(settled)) && slots.production === newest(settled).version)),
        'a version is never changed': before.versions.every(
          (old) => !kept.includes(old.version) || versions.some((version) => version === old)
        ),
        'the version grows by one for each accepted publish':
          versionOf(record) - versionOf(before) ===
          (step === 'publish' && got === undefined && !isActive(settled.submissions[0]) ? 1 : 0),
        'preview is filled while a publication waits or goes live, and at no other time':
          (slots.preview !== undefined) ===
          (submissions[0]?.state === 'waitingForPublisherReview' ||
            (submissions[0]?.state === 'running' && submissions[0].goLive !== undefined)),
        'a refusal changes nothing': got === undefined || record === settled,
        'what has ended stays as it is': before.submissions.every(
          (old) => isActive(old) || submissions.includes(old) || submissions.length === 100
        ),
        'an end is there once there is one': submissions.every(
          (submission) => isActive(submission) === (submission.endedAt === undefined)
        )
      }
      for (const [rule, holds] of Object.entries(rules)) { if (!holds) wrong.push(`seed ${seed}, turn ${turn}, ${step}: ${rule}: ${JSON.stringify({ seen, expected })}`) }
      refusals.add(got)
      statuses.add(seen.status)
    }
  }
  t.strictSame(wrong, [])
  t.strictSame([refusals.size, statuses.size], [4, 6], 'and it came by all of it')
})
