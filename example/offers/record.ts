import type { OfferDocument } from './schemas.js'

/** The document that a client PUT, without the fields that the server owns. */
export type OfferContent = Pick<OfferDocument, 'offerTypeId' | 'definition'> & { [name: string]: unknown }

/** The content of an offer, and when it was written. */
export interface Draft {
  content: OfferContent
  changedTime: string
}

/** The draft as it was when it was published. */
export interface Version extends Draft {
  version: number
}

/** The state of a publication. `waitingForPublisherReview`: it is in the preview slot, until golive or cancel. */
export type SubmissionState = 'running' | 'waitingForPublisherReview' | 'succeeded' | 'canceled' | 'failed'

/**
 * One publication, from publish to its end. Times are in milliseconds since 1970. It keeps the length of its steps, so
 * that processes with another setting see the same progress.
 */
export interface Submission {
  id: string
  state: SubmissionState
  version: number
  emails: string
  stepMs: number
  startedAt: number
  /** Why the certification is going to reject it. It is shown once that step is over. */
  flaw?: string
  signOffAt?: number
  goLive?: { id: string, startedAt: number }
  endedAt?: number
}

/** All that is stored of an offer, under one key and one tag. */
export interface OfferRecord {
  publisherId: string
  id: string
  draft: Draft
  /** The numbers of the versions that fill the slots. */
  slots: { preview?: number, production?: number }
  /** Oldest first. */
  versions: Version[]
  /** Newest first. */
  submissions: Submission[]
}
