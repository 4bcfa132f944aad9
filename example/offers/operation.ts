import { ApiError } from '../app/errors.js'
import { ticks, timestamp } from '../app/timestamp.js'
import { statusOf } from './offer.js'
import type { OfferRecord, Submission } from './record.js'
import type { Operation, Status, SubmissionSummary } from './schemas.js'
import { messagesOf, stepsOf } from './steps.js'

/** How far the offer is: its status, and the progress of its newest publication. */
export function statusDocument (record: OfferRecord, now: number): Status {
  return { status: statusOf(record), ...progressOf(record.submissions[0], now) }
}

/** How far a publication is (reading 25). The operation of golive shows the publication that it continues. */
export function operationDocument (submission: Submission, now: number): Operation {
  const { version } = submission
  return {
    ...outcomeOf(submission),
    ...progressOf(submission, now),
    publishingVersion: version,
    offerVersion: version
  }
}

function outcomeOf ({ state }: Submission): Pick<Operation, 'status' | 'cancellationRequestState'> {
  switch (state) {
    case 'running':
    case 'waitingForPublisherReview': return { status: 'running', cancellationRequestState: 'canCancel' }
    case 'succeeded': return { status: 'complete', cancellationRequestState: 'cannotCancel' }
    case 'canceled': return { status: 'canceled', cancellationRequestState: 'canceled' }
    case 'failed': return { status: 'failed', cancellationRequestState: 'cannotCancel' }
  }
}

/** A publication as the list of them shows it (reading 26). */
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
    submissionState: state === 'waitingForPublisherReview' ? 'running' : state,
    publishingVersion: version,
    slot: goLive === undefined ? 'preview' : 'production',
    version: ticks(changed),
    definition: { metadata: { emails } },
    changedTime: timestamp(changed)
  }
}

/**
 * The publication that an operation shows.
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
