import { withDraft } from '../../../example/offers/draft.js'
import { cancel, goLive, publish, settle } from '../../../example/offers/lifecycle.js'
import type { OfferRecord, Submission } from '../../../example/offers/record.js'
import type { OfferDocument } from '../../../example/offers/schemas.js'

/** When the publications of these tests begin, and how long one step of them takes. */
export const START = Date.UTC(2031, 3, 2)
export const STEP = 1000

export const DOCUMENT: OfferDocument = {
  offerTypeId: 'microsoft-azure-virtualmachines',
  definition: { displayText: 'Tide DB', plans: [{ planId: 'small' }] }
}

/** The document under another name. */
export function named (displayText: string): OfferDocument {
  return { ...DOCUMENT, definition: { ...DOCUMENT.definition, displayText } }
}

const flawed = {
  planId: 'small',
  'microsoft-azure-virtualmachines.vmImages': { '1.0.0': { osVhdUrl: 'http://example.org' } }
}
/** A document that the certification rejects. */
export const FLAWED: OfferDocument = { ...DOCUMENT, definition: { displayText: 'Tide DB', plans: [flawed] } }

/** A new offer, or the given one after a PUT. */
export function put (document: OfferDocument = DOCUMENT, record?: OfferRecord, now = START): OfferRecord {
  return withDraft(record, document, { publisherId: 'contoso', offerId: 'tide-db' }, now)
}

/** An offer whose publication has just begun. */
export function published (record = put(), { id = 'p1', emails = '', stepMs = STEP, now = START } = {}): OfferRecord {
  return publish(record, { id, emails, stepMs, now })
}

const waiting = () => settle(published(), START + 4 * STEP)
const goingLive = () => goLive(waiting(), { id: 'g1', now: START + 10 * STEP })

/** An offer in each state that its newest publication can be in. */
export const states = {
  running: () => published(),
  waiting,
  goingLive,
  live: () => settle(goingLive(), START + 11 * STEP),
  failed: () => settle(published(put(FLAWED)), START + 2 * STEP),
  canceled: () => cancel(waiting(), START + 10 * STEP)
}

/** The value, which nothing can change in place any more. */
export function frozen<T> (value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) frozen(member)
    Object.freeze(value)
  }
  return value
}

/** The newest publication of an offer. */
export function newest ({ submissions: [submission] }: OfferRecord): Submission {
  if (submission === undefined) throw new Error('nothing was published')
  return submission
}
