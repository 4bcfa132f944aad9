import { timestamp } from '../app/timestamp.js'
import type { Submission } from './record.js'
import type { Step } from './schemas.js'

/** The steps of a publication, in their order (reading 18). */
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

/** When the certification rejects a publication that has a flaw. */
export function rejectedAt ({ startedAt, stepMs }: Submission): number {
  return startedAt + (CERTIFICATION + 1) * stepMs
}

/** When the sign-off is reached, if nothing is rejected. */
export function signOffAt ({ startedAt, stepMs }: Submission): number {
  return startedAt + SIGN_OFF * stepMs
}

/** The steps of a publication at a time. Without a publication, none has begun. */
export function stepsOf (submission: Submission | undefined, now: number): Step[] {
  const current = submission === undefined ? -1 : stepAt(submission, now)
  return STEPS.map((step, index) => {
    if (index < current) return { ...step, status: 'complete', messages: [], progressPercentage: 100 }
    if (submission === undefined || index > current) {
      return { ...step, status: 'notStarted', messages: [], progressPercentage: 0 }
    }
    return { ...step, ...progressAt(submission, current, now) }
  })
}

/** What went wrong in a publication, and when. */
export function messagesOf ({ state, flaw, endedAt }: Submission): Step['messages'] {
  if (state !== 'failed') return []
  return [{ messageHtml: htmlOf(flaw!), level: 'error', timestamp: timestamp(endedAt!) }]
}

// The index of the current step. A step that is due to end goes on until the state says that it ended: what an offer
// shows changes with its tag.
function stepAt ({ state, startedAt, stepMs, flaw, signOffAt, goLive, endedAt }: Submission, now: number): number {
  if (state === 'succeeded') return STEPS.length
  if (goLive !== undefined) return LIVE
  if (signOffAt !== undefined) return SIGN_OFF
  const last = flaw !== undefined ? CERTIFICATION : SIGN_OFF - 1
  const elapsed = Math.max(0, (endedAt ?? now) - startedAt)
  return Math.min(Math.floor(elapsed / stepMs), last)
}

function progressAt (
  submission: Submission,
  step: number,
  now: number
): Pick<Step, 'status' | 'messages' | 'progressPercentage'> {
  const { state, startedAt, stepMs, goLive, endedAt } = submission
  const messages = messagesOf(submission)
  if (state === 'failed') return { status: 'rejected', messages, progressPercentage: 100 }
  const isCanceled = state === 'canceled'
  if (step === SIGN_OFF) {
    return { status: isCanceled ? 'canceled' : 'waitingForPublisherReview', messages, progressPercentage: 0 }
  }
  const begun = goLive?.startedAt ?? startedAt + step * stepMs
  const elapsed = (endedAt ?? now) - begun
  const progressPercentage = Math.max(0, Math.min(Math.floor((elapsed * 100) / stepMs), 99))
  return { status: isCanceled ? 'canceled' : 'inProgress', messages, progressPercentage }
}

// The flaw quotes the document, which may hold HTML.
function htmlOf (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
