import t from 'tap'
import { cancel, goLive, isActive, publish, settle, versionOf } from '../../../example/offers/lifecycle.js'
import { statusOf } from '../../../example/offers/offer.js'
import type { OfferRecord, Submission } from '../../../example/offers/record.js'
import { DOCUMENT, FLAWED, frozen, named, newest, put, START, STEP } from '../../support/example/publications.js'

const DRAFTS = { a: DOCUMENT, b: named('b'), flawed: FLAWED, '': named('') }

/** mulberry32: small, and the same everywhere. */
function random (seed: number): (limit: number) => number {
  return (limit) => {
    seed = (seed + 0x6d2b79f5) | 0
    let z = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return Math.floor(((z ^ (z >>> 14)) >>> 0) / 2 ** 32 * limit)
  }
}

/** The state machine of publications, written again without a record: which version is where, and what is due when. */
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

  get isActive (): boolean {
    return this.status === 'running' || this.status === 'waitingForPublisherReview'
  }

  /** The code of the refusal, if it is one. */
  publish (now: number, stepMs: number): string | undefined {
    if (this.draft === '') return 'OfferNotPublishable'
    if (this.isActive) return this.publishing === this.draft ? undefined : 'OperationInProgress'
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
    if (this.isActive) Object.assign(this, { status: 'canceled', preview: undefined, next: undefined })
  }
}

function codeOf (act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

/** A step of the walk: the record before it, after what was due, and after the step, and the code of the refusal. */
interface Turn {
  step: string
  before: OfferRecord
  settled: OfferRecord
  record: OfferRecord
  code: string | undefined
}

/** The rules that a step breaks. */
function brokenRules ({ step, before, settled, record, code }: Turn): string[] {
  const { slots, versions, submissions } = record
  const [submission] = submissions
  const kept = versions.map(({ version }) => version)
  const isPublished = step === 'publish' && code === undefined && !isActive(settled.submissions[0])
  const isInPreview = submission?.state === 'waitingForPublisherReview' ||
    (submission?.state === 'running' && submission.goLive !== undefined)
  const wentLive = (old: OfferRecord, { state, goLive, version }: Submission): boolean =>
    old.slots.production === version && state === 'succeeded' && goLive !== undefined
  const hasEnd = ({ endedAt }: Submission): boolean => endedAt !== undefined
  const rules: Record<string, boolean> = {
    'at most one publication is active, and it is the newest': !submissions.slice(1).some(isActive),
    'slots point to versions that are there': Object.values(slots).every((slot) => kept.includes(slot)),
    'only a golive that is over changes production':
      slots.production === settled.slots.production &&
      (slots.production === before.slots.production || wentLive(settled, newest(settled))),
    'a version is never changed':
      before.versions.every((old) => !kept.includes(old.version) || versions.includes(old)),
    'the version grows by one for each accepted publish':
      versionOf(record) - versionOf(before) === (isPublished ? 1 : 0),
    'preview is filled while a publication waits or goes live, and at no other time':
      (slots.preview !== undefined) === isInPreview,
    'a refusal changes nothing': code === undefined || record === settled,
    'a publication that has ended stays as it is': before.submissions.every(
      (old) => isActive(old) || submissions.includes(old) || submissions.length === 100
    ),
    'a publication that is not active has an end, and no other has':
      submissions.every((submission) => isActive(submission) !== hasEnd(submission))
  }
  return Object.keys(rules).filter((rule) => !rules[rule])
}

await t.test('a random walk keeps to the state machine, in whatever order things happen', async (t) => {
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
      let [code, expectedCode]: Array<string | undefined> = [undefined, undefined]
      if (step === 'publish') {
        stepMs = isActive(record.submissions[0]) ? stepMs : [STEP, 1, 777][pick(3)]!
        expectedCode = model.publish(now, stepMs)
        code = codeOf(() => { record = frozen(publish(record, { id, emails: '', stepMs, now })) })
      } else if (step === 'golive') {
        expectedCode = model.goLive(now, stepMs)
        code = codeOf(() => { record = frozen(goLive(record, { id, now })) })
      } else if (step === 'cancel') {
        model.cancel()
        record = frozen(cancel(record, now))
      } else if (step === 'put') {
        model.draft = Object.keys(DRAFTS)[pick(4)]!
        record = frozen(put(DRAFTS[model.draft as keyof typeof DRAFTS], record, now))
      } else if (step === 'wait') {
        now += [1, stepMs - 1, stepMs, 2 * stepMs, 4 * stepMs, -stepMs][pick(6)]!
      }
      const { preview, production } = record.slots
      const seen = JSON.stringify([statusOf(record), versionOf(record), preview, production, code])
      const expected = JSON.stringify(
        [model.status, model.version, model.preview, model.production, expectedCode]
      )
      if (seen !== expected) wrong.push(`${id}, ${step}: the model has ${expected}, the record ${seen}`)
      const broken = brokenRules({ step, before, settled, record, code })
      wrong.push(...broken.map((rule) => `${id}, ${step}: ${rule}`))
      refusals.add(code)
      statuses.add(statusOf(record))
    }
  }
  t.strictSame(wrong, [])
  t.strictSame([refusals.size, statuses.size], [4, 6], 'it reached every refusal and every status')
})
