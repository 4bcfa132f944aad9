import { timestamp } from '../app/timestamp.js'
import type { Submission } from './record.js'
import type { Step } from './schemas.js'

/** The steps of a publication, in their order (CPP §7). */
const STEPS = [
  {
    id: 'displaydummycertify',
    stepName: 'Validate Pre-Requisites',
    description: 'What the offer needs to be published is checked.',
    estimatedTimeFrame: '< 15 min'
  },
  {
    id: 'displaycertify',
    stepName: 'Certification',
    description: 'The images of the offer are tested.',
    estimatedTimeFrame: '~2-3 days'
  },
  {
    id: 'displayprovision',
    stepName: 'Provisioning',
    description: 'The images of the offer are copied to where they are sold.',
    estimatedTimeFrame: '< 1 day'
  },
  {
    id: 'displaypackage',
    stepName: 'Packaging and Lead Generation Registration',
    description: 'The offer is made ready for its customers.',
    estimatedTimeFrame: '< 1 hour'
  },
  {
    id: 'publisher-signoff',
    stepName: 'Publisher signoff',
    description: 'The offer is in the preview slot. Look at it, and then send golive or cancel.',
    estimatedTimeFrame: '< 1 hour'
  },
  { id: 'live', stepName: 'Live', description: 'The offer is shown to everybody.', estimatedTimeFrame: '~2-5 days' }
] as const

const CERTIFICATION = 1
const SIGN_OFF = 4
const LIVE = 5

/** When the certification rejects what it is going to reject. */
export function rejectedAt ({ startedAt, stepMs }: Submission): number {
  return startedAt + (CERTIFICATION + 1) * stepMs
}

/** When the sign-off is reached, if nothing is rejected. */
export function signOffAt ({ startedAt, stepMs }: Submission): number {
  return startedAt + SIGN_OFF * stepMs
}

/** Where a publication is at a time; without one, nothing has begun. */
export function stepsOf (submission: Submission | undefined, now: number): Step[] {
  const at = submission === undefined ? 0 : stepAt(submission, now)
  return STEPS.map((step, index) => {
    if (submission === undefined || index > at) { return { ...step, status: 'notStarted', messages: [], progressPercentage: 0 } }
    if (index < at) return { ...step, status: 'complete', messages: [], progressPercentage: 100 }
    return { ...step, ...current(submission, at, now) }
  })
}

/** What went wrong in a publication, and when. */
export function messagesOf ({ state, flaw, endedAt }: Submission): Step['messages'] {
  if (state !== 'failed') return []
  return [{ messageHtml: htmlOf(flaw!), level: 'error', timestamp: timestamp(endedAt!) }]
}

// A step that is due to end goes on until the state says that it ended: what shows in an offer changes with its tag.
function stepAt ({ state, startedAt, stepMs, flaw, signOffAt, goLive, endedAt }: Submission, now: number): number {
  if (state === 'succeeded') return STEPS.length
  if (goLive !== undefined) return LIVE
  if (signOffAt !== undefined) return SIGN_OFF
  const last = flaw !== undefined ? CERTIFICATION : SIGN_OFF - 1
  const elapsed = Math.max(0, (endedAt ?? now) - startedAt)
  return Math.min(Math.floor(elapsed / stepMs), last)
}

function current (
  submission: Submission,
  at: number,
  now: number
): Pick<Step, 'status' | 'messages' | 'progressPercentage'> {
  const { state, startedAt, stepMs, goLive, endedAt } = submission
  const messages = messagesOf(submission)
  if (at === SIGN_OFF) { return { status: state === 'canceled' ? 'canceled' : 'waitingForPublisherReview', messages, progressPercentage: 0 } }
  const begun = goLive?.startedAt ?? startedAt + at * stepMs
  const passed = (endedAt ?? now) - begun
  const progressPercentage = state === 'failed' ? 100 : Math.max(0, Math.min(Math.floor((passed * 100) / stepMs), 99))
  const status = state === 'canceled' ? 'canceled' : state === 'failed' ? 'rejected' : 'inProgress'
  return { status, messages, progressPercentage }
}

// The flaw names what a client wrote.
function htmlOf (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
