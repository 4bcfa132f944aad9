import { ApiError } from '../app/errors.js'
import { ticks, timestamp } from '../app/timestamp.js'
import { isActive } from './lifecycle.js'
import { statusOf } from './offer.js'
import type { OfferRecord, Submission } from './record.js'
import type { Operation, Status, SubmissionSummary } from './schemas.js'
import { messagesOf, stepsOf } from './steps.js'

/** How far the offer is (CPP §7). */
export function statusDocument (record: OfferRecord, now: number): Status {
  return { status: statusOf(record), ...progressOf(record.submissions[0], now) }
}

/** How far one publication is. Go live continues the publication of its version, and shows the same (CPP §7). */
export function operationDocument (submission: Submission, now: number): Operation {
  const { state, version } = submission
  return {
    status: isActive(submission) ? 'running' : state === 'succeeded' ? 'complete' : state as 'canceled' | 'failed',
    ...progressOf(submission, now),
    publishingVersion: version,
    offerVersion: version,
    cancellationRequestState: isActive(submission) ? 'canCancel' : state === 'canceled' ? 'canceled' : 'cannotCancel'
  }
}

/** A publication in the list of them (CPP §7). */
export function submissionSummary (record: OfferRecord, submission: Submission): SubmissionSummary {
  const { id, state, version, emails, startedAt, signOffAt, goLive, endedAt } = submission
  const changed = endedAt ?? goLive?.startedAt ?? signOffAt ?? startedAt
  return {
    id,
    offerId: record.id,
    offerVersion: version,
    offerTypeId: record.draft.content.offerTypeId,
    publisherId: record.publisherId,
    submissionType: 'publish',
    submissionState: isActive(submission) ? 'running' : state as 'succeeded' | 'canceled' | 'failed',
    publishingVersion: version,
    slot: goLive === undefined ? 'preview' : 'production',
    version: ticks(changed),
    definition: { metadata: { emails } },
    changedTime: timestamp(changed)
  }
}

/**
 * The publication that an operation belongs to, found by what tells it.
 *
 * @throws ApiError 404
 */
export function findOperation ({ submissions }: OfferRecord, isIt: (submission: Submission) => boolean): Submission {
  const found = submissions.find(isIt)
  if (found === undefined) {
    throw new ApiError(
      404,
      'OperationNotFound',
      'This offer has no such operation. Its submissions list those that it has.'
    )
  }
  return found
}

function progressOf (submission: Submission | undefined, now: number) {
  return {
    messages: submission === undefined ? [] : messagesOf(submission),
    steps: stepsOf(submission, now),
    previewLinks: [],
    liveLinks: [],
    notificationEmails: submission?.emails ?? ''
  }
}
