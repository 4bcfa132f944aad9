import { isDeepStrictEqual } from 'node:util'
import { ApiError } from '../app/errors.js'
import { MAX_HISTORY, sizeOf } from './limits.js'
import { flawOfDraft, flawOfImages } from './publishable.js'
import type { OfferRecord, Submission, Version } from './record.js'
import { rejectedAt, signOffAt } from './steps.js'

/** How many publications an offer remembers at most, as long as they fit MAX_HISTORY. */
const REMEMBERED = 100

/** What publish is given besides the offer. Times are in milliseconds since 1970. */
export interface Publication { id: string, emails: string, stepMs: number, now: number }

/** Whether a publication has not come to its end. */
export function isActive (submission: Submission | undefined): submission is Submission {
  return submission?.state === 'running' || submission?.state === 'waitingForPublisherReview'
}

/** The number of the newest version: 0 before the first publication. */
export function versionOf ({ versions }: OfferRecord): number {
  return versions.at(-1)?.version ?? 0
}

/**
 * Publishes the draft as a new version. While this very draft is being published, the offer stays as it is.
 *
 * @throws ApiError 422 for a draft that cannot be published, 400 while another draft is being published
 */
export function publish (record: OfferRecord, { id, emails, stepMs, now }: Publication): OfferRecord {
  const { draft, submissions, versions } = record
  const flaw = flawOfDraft(draft.content)
  if (flaw !== undefined) {
    throw new ApiError(422, 'OfferNotPublishable', `The offer cannot be published, because ${flaw}.`)
  }
  if (isActive(submissions[0])) {
    if (isDeepStrictEqual(versions.at(-1)?.content, draft.content)) return record
    throw new ApiError(
      400,
      'OperationInProgress',
      'Another draft of this offer is being published. Send cancel, or wait until it is live.'
    )
  }
  const version = versionOf(record) + 1
  const rejection = flawOfImages(draft.content)
  const submission: Submission = {
    id,
    state: 'running',
    version,
    emails,
    stepMs,
    startedAt: now,
    ...(rejection !== undefined && { flaw: rejection })
  }
  return forget({
    ...record,
    versions: [...versions, { ...draft, version }],
    submissions: [submission, ...submissions]
  })
}

/**
 * Lets the version in the preview slot go live.
 *
 * @throws ApiError 400 if none waits there
 */
export function goLive (record: OfferRecord, { id, now }: Pick<Publication, 'id' | 'now'>): OfferRecord {
  const [submission] = record.submissions
  if (submission?.state !== 'waitingForPublisherReview') {
    throw new ApiError(
      400,
      'NotWaitingForSignoff',
      'No version of this offer waits for the sign-off of its publisher. ' +
        'Send publish, and wait until its status says so.'
    )
  }
  return withNewest(record, { ...submission, state: 'running', goLive: { id, startedAt: now } })
}

/**
 * Ends the active publication, and takes its version out of the preview slot. The live version stays live. Without an
 * active publication nothing changes.
 */
export function cancel (record: OfferRecord, now: number): OfferRecord {
  const [submission] = record.submissions
  if (!isActive(submission)) return record
  const { preview, ...slots } = record.slots
  return withNewest({ ...record, slots }, { ...submission, state: 'canceled', endedAt: now })
}

/**
 * Applies the transition that has come due: the clock is one more writer of an offer (decision 0011). The same record
 * if none has. A transition is dated when it was due, not when it was noticed: all processes come to the same record.
 */
export function settle (record: OfferRecord, now: number): OfferRecord {
  const [submission] = record.submissions
  if (submission?.state !== 'running') return record
  const { flaw, goLive, stepMs, version } = submission
  if (goLive !== undefined) {
    const endedAt = goLive.startedAt + stepMs
    if (now < endedAt) return record
    return withNewest({ ...record, slots: { production: version } }, { ...submission, state: 'succeeded', endedAt })
  }
  if (flaw !== undefined) {
    const endedAt = rejectedAt(submission)
    return now < endedAt ? record : withNewest(record, { ...submission, state: 'failed', endedAt })
  }
  const reached = signOffAt(submission)
  if (now < reached) return record
  return withNewest(
    { ...record, slots: { ...record.slots, preview: version } },
    { ...submission, state: 'waitingForPublisherReview', signOffAt: reached }
  )
}

function withNewest (record: OfferRecord, submission: Submission): OfferRecord {
  return { ...record, submissions: [submission, ...record.submissions.slice(1)] }
}

// The live version and the newest, which fills preview, stay however large they are: a slot never loses its version.
// After them, the newest are remembered first.
function forget (record: OfferRecord): OfferRecord {
  const { slots, versions, submissions } = record
  const mustStay = ({ version }: Version) => version === slots.production || version === versionOf(record)
  const remembered = new Set<number>()
  let size = 0
  for (const version of [...versions.filter(mustStay), ...versions.toReversed().filter((other) => !mustStay(other))]) {
    size += sizeOf([version, submissions.find((submission) => submission.version === version.version)])
    if (!mustStay(version) && (size > MAX_HISTORY || remembered.size === REMEMBERED)) break
    remembered.add(version.version)
  }
  const isRemembered = ({ version }: Version | Submission) => remembered.has(version)
  return { ...record, versions: versions.filter(isRemembered), submissions: submissions.filter(isRemembered) }
}
