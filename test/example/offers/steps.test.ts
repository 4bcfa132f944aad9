import t from 'tap'
import { cancel, goLive } from '../../../example/offers/lifecycle.js'
import type { Submission } from '../../../example/offers/record.js'
import type { Step } from '../../../example/offers/schemas.js'
import { messagesOf, rejectedAt, signOffAt, stepsOf } from '../../../example/offers/steps.js'
import { FLAWED, newest, published, put, START, states, STEP } from '../../support/example/publications.js'

const SHORT: Record<string, string> = {
  notStarted: '-',
  inProgress: '>',
  waitingForPublisherReview: '?',
  rejected: '!',
  complete: 'x',
  canceled: '/'
}

/** The steps in short: a sign for each status, and the percentage of the current step. */
function short (submission: Submission | undefined, now: number): string {
  const steps = stepsOf(submission, now)
  const current = steps.find(({ status }) => status !== 'complete' && status !== 'notStarted')
  const signs = steps.map(({ status }) => SHORT[status]).join('')
  return current === undefined ? signs : `${signs} ${current.progressPercentage}`
}

await t.test('the six steps of a virtual machine, in their order (reading 18)', async (t) => {
  t.strictSame(stepsOf(undefined, START).map(({ id, stepName }) => [id, stepName]), [
    ['displaydummycertify', 'Validate Pre-Requisites'],
    ['displaycertify', 'Certification'],
    ['displayprovision', 'Provisioning'],
    ['displaypackage', 'Packaging and Lead Generation Registration'],
    ['publisher-signoff', 'Publisher signoff'],
    ['live', 'Live']
  ])
  for (const { status, messages, progressPercentage, description, estimatedTimeFrame } of stepsOf(undefined, START)) {
    t.strictSame(
      { status, messages, progressPercentage },
      { status: 'notStarted', messages: [], progressPercentage: 0 }
    )
    t.ok(description && estimatedTimeFrame)
  }
})

await t.test('each step takes as long as the others, and ends as the next begins (reading 18)', async (t) => {
  const running = newest(published())
  const boundaries: Array<[number, string]> = [
    [0, '>----- 0'],
    [1, '>----- 0'],
    [9, '>----- 0'],
    [10, '>----- 1'],
    [STEP / 2, '>----- 50'],
    [STEP - 1, '>----- 99'],
    [STEP, 'x>---- 0'],
    [2 * STEP - 1, 'x>---- 99'],
    [2 * STEP, 'xx>--- 0'],
    [3 * STEP - 1, 'xx>--- 99'],
    [3 * STEP, 'xxx>-- 0'],
    [4 * STEP - 1, 'xxx>-- 99']
  ]
  for (const [elapsed, steps] of boundaries) t.equal(short(running, START + elapsed), steps, `after ${elapsed} ms`)
  t.equal(signOffAt(running), START + 4 * STEP)
  t.equal(rejectedAt(running), START + 2 * STEP)
})

await t.test('a percentage is the whole part of the time that has passed, without an error of rounding', async (t) => {
  const running = newest(published(put(), { stepMs: 100 }))
  for (let elapsed = 0; elapsed < 400; elapsed++) {
    t.equal(
      stepsOf(running, START + elapsed)[Math.floor(elapsed / 100)]!.progressPercentage,
      elapsed % 100,
      `after ${elapsed} ms`
    )
  }
})

await t.test('a publication shows as no further than its state, whatever has come due: content changes with its tag (RFC 9110 8.8.1)', async (t) => {
  for (const late of [0, 1, STEP, 100 * STEP]) {
    t.equal(short(newest(published()), START + 4 * STEP + late), 'xxx>-- 99')
    t.equal(short(newest(published(put(FLAWED))), START + 2 * STEP + late), 'x>---- 99')
    t.equal(short(newest(states.goingLive()), START + 11 * STEP + late), 'xxxxx> 99')
  }
})

await t.test('a publication that is going to be rejected looks like any other until then (reading 19)', async (t) => {
  const [flawed, sound] = [newest(published(put(FLAWED))), newest(published())]
  for (let elapsed = 0; elapsed < 2 * STEP; elapsed += 7) {
    t.strictSame(stepsOf(flawed, START + elapsed), stepsOf(sound, START + elapsed))
  }
  t.strictSame(messagesOf(flawed), [])
})

await t.test('the sign-off takes as long as the publisher does (reading 18)', async (t) => {
  for (const now of [START, START + 4 * STEP, START + 1e9]) t.equal(short(newest(states.waiting()), now), 'xxxx?- 0')
})

await t.test('golive ends the sign-off, and its step takes as long as any (readings 18 and 22)', async (t) => {
  const goingLive = newest(states.goingLive())
  for (const [elapsed, steps] of [[0, 'xxxxx> 0'], [STEP / 4, 'xxxxx> 25'], [STEP - 1, 'xxxxx> 99']] as const) {
    t.equal(short(goingLive, START + 10 * STEP + elapsed), steps)
  }
})

await t.test('live: all is complete, for all time', async (t) => {
  for (const now of [START, START + 11 * STEP, START + 1e9]) {
    t.equal(short(newest(states.live()), now), 'xxxxxx')
    t.ok(stepsOf(newest(states.live()), now).every(({ progressPercentage }) => progressPercentage === 100))
  }
})

await t.test('failed: the certification is the step that rejected, and tells why and when (reading 25)', async (t) => {
  const failed = newest(states.failed())
  for (const now of [START, START + 2 * STEP, START + 1e9]) t.equal(short(failed, now), 'x!---- 100')
  const told = [
    {
      messageHtml: 'The image 1.0.0 of the plan "small" cannot be fetched: its osVhdUrl is no https address.',
      level: 'error',
      timestamp: '2031-04-02T00:00:02.0000000Z'
    }
  ]
  t.strictSame(messagesOf(failed), told)
  t.strictSame(stepsOf(failed, START).map(({ messages }) => messages), [[], told, [], [], [], []])
})

await t.test('a message is HTML, in which the words of a client are text (reading 35)', async (t) => {
  const failed: Submission = {
    ...newest(states.failed()),
    flaw: 'The plan "<img src=x onerror=alert(1)>" & "&lt;" are odd'
  }
  t.equal(messagesOf(failed)[0]?.messageHtml, 'The plan "&lt;img src=x onerror=alert(1)&gt;" &amp; "&amp;lt;" are odd')
})

await t.test('canceled: the step in which it was, as far as it was, for all time (reading 25)', async (t) => {
  const running: Array<[number, string]> = [
    [-STEP, '/----- 0'],
    [0, '/----- 0'],
    [STEP - 1, '/----- 99'],
    [STEP, 'x/---- 0'],
    [STEP + STEP / 2, 'x/---- 50'],
    [2 * STEP, 'xx/--- 0'],
    [3 * STEP, 'xxx/-- 0'],
    [4 * STEP - 1, 'xxx/-- 99'],
    [9 * STEP, 'xxx/-- 99']
  ]
  for (const [elapsed, steps] of running) {
    const canceled = newest(cancel(published(), START + elapsed))
    for (const now of [START, START + 1e9]) t.equal(short(canceled, now), steps, `after ${elapsed} ms`)
    t.strictSame(messagesOf(canceled), [])
  }
  t.equal(short(newest(cancel(published(put(FLAWED)), START + 9 * STEP)), START), 'x/---- 99', 'before it was rejected')
  t.equal(short(newest(states.canceled()), START + 1e9), 'xxxx/- 0', 'at the sign-off')
  const late = newest(cancel(states.goingLive(), START + 10 * STEP + STEP / 2))
  t.equal(short(late, START + 1e9), 'xxxxx/ 50', 'going live')
})

/** Whether a percentage fits the status of its step. */
function isSound ({ status, progressPercentage: part }: Step): boolean {
  if (!Number.isInteger(part) || part < 0 || part > 100) return false
  return (part === 100) === (status === 'complete') && (status !== 'notStarted' || part === 0)
}

await t.test('percentages and steps never go back as time goes on, and a step in progress is never at 100', async (t) => {
  for (const stepMs of [1, 3, 7, 100, 5000, 999_999_999]) {
    for (const document of [undefined, FLAWED]) {
      const running = newest(published(put(document), { stepMs }))
      const goingLive: Submission = { ...running, signOffAt: signOffAt(running), goLive: { id: 'g', startedAt: START } }
      for (const submission of [running, goingLive]) {
        let before = stepsOf(submission, START - stepMs)
        for (let elapsed = -stepMs; elapsed <= 6 * stepMs; elapsed += Math.max(1, Math.floor(stepMs / 29))) {
          const steps = stepsOf(submission, START + elapsed)
          const falls = steps.some((step, index) => step.progressPercentage < before[index]!.progressPercentage)
          if (falls || !steps.every(isSound)) t.fail(`steps of ${stepMs} ms, after ${elapsed} ms`, { before, steps })
          before = steps
        }
      }
    }
  }
  t.pass()
})

await t.test('a clock that is behind, also at golive: no step is below 0 percent', async (t) => {
  t.equal(short(newest(published()), START - 1e9), '>----- 0')
  t.equal(short(newest(states.goingLive()), START), 'xxxxx> 0')
  t.equal(short(newest(cancel(goLive(states.waiting(), { id: 'g', now: START }), START - 1)), START), 'xxxxx/ 0')
})

await t.test('a publication shows the length of its own steps, whatever the process is set to', async (t) => {
  t.equal(short(newest(published(put(), { stepMs: 10 * STEP })), START + 4 * STEP), '>----- 40')
})
