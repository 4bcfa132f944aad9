import t from 'tap'
import { cancel } from '../../../example/offers/lifecycle.js'
import {
  findOperation,
  operationDocument,
  statusDocument,
  submissionSummary
} from '../../../example/offers/operation.js'
import { stepsOf } from '../../../example/offers/steps.js'
import { DOCUMENT, newest, published, put, START, states, STEP } from '../../support/example/publications.js'

await t.test('status: that of the offer, and how far its newest publication is', async (t) => {
  const never = statusDocument(put(), START)
  t.strictSame(never, {
    status: 'neverPublished',
    messages: [],
    steps: stepsOf(undefined, START),
    previewLinks: [],
    liveLinks: [],
    notificationEmails: ''
  })
  const statuses = Object.fromEntries(
    Object.entries(states).map(([state, record]) => [state, statusDocument(record(), START).status])
  )
  t.strictSame(statuses, {
    running: 'running',
    waiting: 'waitingForPublisherReview',
    goingLive: 'running',
    live: 'succeeded',
    failed: 'failed',
    canceled: 'canceled'
  })
  const again = published(states.failed(), { id: 'p2', emails: 'a@example.org,b@example.org', now: START + 9 * STEP })
  t.match(statusDocument(again, START + 9 * STEP), {
    status: 'running',
    messages: [],
    steps: stepsOf(newest(again), START + 9 * STEP),
    notificationEmails: 'a@example.org,b@example.org'
  })
})

await t.test('operation: its status in each state, and whether it can be canceled (reading 25)', async (t) => {
  const documents = Object.fromEntries(Object.entries(states).map(([state, record]) => {
    const { status, cancellationRequestState } = operationDocument(newest(record()), START)
    return [state, [status, cancellationRequestState]]
  }))
  t.strictSame(documents, {
    running: ['running', 'canCancel'],
    waiting: ['running', 'canCancel'],
    goingLive: ['running', 'canCancel'],
    live: ['complete', 'cannotCancel'],
    failed: ['failed', 'cannotCancel'],
    canceled: ['canceled', 'canceled']
  })
})

await t.test('operation: the version that it publishes, its steps, its e-mails, and no links (reading 35)', async (t) => {
  const second = newest(published(states.live(), { id: 'p2', emails: 'a@example.org', now: START + 20 * STEP }))
  const now = START + 21 * STEP
  t.strictSame(operationDocument(second, now), {
    status: 'running',
    messages: [],
    steps: stepsOf(second, now),
    previewLinks: [],
    liveLinks: [],
    notificationEmails: 'a@example.org',
    publishingVersion: 2,
    offerVersion: 2,
    cancellationRequestState: 'canCancel'
  })
})

await t.test('messages: a failure is told at the top, and in its step (reading 35)', async (t) => {
  for (const { messages, steps } of [
    statusDocument(states.failed(), START),
    operationDocument(newest(states.failed()), START)
  ]) {
    t.match(messages, [{ messageHtml: /osVhdUrl/, level: 'error', timestamp: '2031-04-02T00:00:02.0000000Z' }])
    t.strictSame(steps[1]?.messages, messages)
  }
  for (const state of ['running', 'waiting', 'goingLive', 'live', 'canceled'] as const) {
    t.strictSame(statusDocument(states[state](), START).messages, [], state)
  }
})

await t.test('submission: every field, with the type of the offer and the e-mails of publish', async (t) => {
  const record = published(put(), { id: 'p1', emails: 'a@example.org' })
  t.strictSame(submissionSummary(record, newest(record)), {
    id: 'p1',
    offerId: 'tide-db',
    offerVersion: 1,
    offerTypeId: DOCUMENT.offerTypeId,
    publisherId: 'contoso',
    submissionType: 'publish',
    submissionState: 'running',
    publishingVersion: 1,
    slot: 'preview',
    version: 640_684_512_000_000_000n,
    definition: { metadata: { emails: 'a@example.org' } },
    changedTime: '2031-04-02T00:00:00.0000000Z'
  })
})

await t.test('submission: its state, the slot that it goes to, and when it last changed (reading 26)', async (t) => {
  const summaries = Object.fromEntries(Object.entries(states).map(([state, record]) => {
    const { submissionState, slot, changedTime } = submissionSummary(record(), newest(record()))
    return [state, [submissionState, slot, (Date.parse(changedTime) - START) / STEP]]
  }))
  t.strictSame(summaries, {
    running: ['running', 'preview', 0],
    waiting: ['running', 'preview', 4],
    goingLive: ['running', 'production', 10],
    live: ['succeeded', 'production', 11],
    failed: ['failed', 'preview', 2],
    canceled: ['canceled', 'preview', 10]
  })
  const late = cancel(states.goingLive(), START + 10.5 * STEP)
  t.match(submissionSummary(late, newest(late)), {
    submissionState: 'canceled',
    slot: 'production',
    changedTime: '2031-04-02T00:00:10.5000000Z'
  })
})

await t.test('submission: its version is the same time in .NET ticks: 18 digits, none of them lost (reading 26)', async (t) => {
  for (const [state, record] of Object.entries(states)) {
    const { version, changedTime } = submissionSummary(record(), newest(record()))
    t.type(version, 'bigint')
    t.equal(String(version).length, 18, state)
    t.equal(Number((version - 621_355_968_000_000_000n) / 10_000n), Date.parse(changedTime), state)
    t.not(BigInt(Number(version + 1n)), version + 1n, 'a number would lose its last digit')
  }
})

await t.test('an operation is found by the property that is asked for; one that does not exist is 404', async (t) => {
  const record = published(states.live(), { id: 'p2' })
  t.equal(findOperation(record, ({ id }) => id === 'p1'), record.submissions[1])
  t.equal(findOperation(record, ({ goLive }) => goLive?.id === 'g1'), record.submissions[1])
  for (const offer of [record, put()]) {
    t.throws(() => findOperation(offer, ({ id }) => id === 'other'), {
      statusCode: 404,
      code: 'OperationNotFound',
      message: /submissions/
    })
  }
})
