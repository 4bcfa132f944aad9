import { ApiError } from '../app/errors.js'
import { timestamp } from '../app/timestamp.js'
import { MAX_DOCUMENT, sizeOf } from './limits.js'
import type { OfferContent, OfferRecord } from './record.js'
import type { OfferDocument, OfferParams } from './schemas.js'

// What clients send back because they were given it, and cannot set (CPP §5). offerTypeVersions is for requests alone.
const IGNORED = new Set([
  'id', 'publisherId', 'status', 'version', 'changedTime', 'offerTypeVersions',
  'pcMigrationStatus', 'pcRedirectUri', 'isvUpgradeRequest',
  'lockStatus', 'offerTypeChanges', 'pricingNotRecalculatedRegions', 'offerTypeVersionsOverride'
])

// The storage takes 512 levels, and what is published lies some levels deeper in it than a draft.
const MAX_DEPTH = 500

/**
 * Refuses a document that says it is another offer than its address does, or that cannot be kept.
 *
 * @throws ApiError 400, or 413 for one that is too large
 */
export function checkDocument (document: OfferDocument, params: OfferParams): void {
  const { id, publisherId } = document
  if (id !== undefined && id !== params.offerId) throw badRequest('id', 'differs from the offer in the address')
  if (publisherId !== undefined && publisherId !== params.publisherId) { throw badRequest('publisherId', 'differs from the publisher in the address') }
  checkValue(document, MAX_DEPTH)
  // As it is kept and not as it was sent: 1e20 becomes 21 digits.
  if (sizeOf(contentOf(document)) > MAX_DOCUMENT) {
    throw new ApiError(
      413,
      'DocumentTooLarge',
      `The document takes more than ${MAX_DOCUMENT} bytes. Send a smaller one.`
    )
  }
}

/**
 * What a PUT leaves behind: it replaces the whole draft, and nothing else. What was published stays as it was.
 *
 * @throws ApiError 400 if it changes the type of the offer
 */
export function withDraft (
  record: OfferRecord | undefined,
  document: OfferDocument,
  { publisherId, offerId }: OfferParams,
  now: number
): OfferRecord {
  const fixed = record?.draft.content.offerTypeId
  if (fixed !== undefined && fixed !== document.offerTypeId) { throw badRequest('offerTypeId', 'differs from that of the offer, which was fixed when it was created') }
  const draft = { content: contentOf(document), changedTime: timestamp(now) }
  return record === undefined
    ? { publisherId, id: offerId, draft, slots: {}, versions: [], submissions: [] }
    : { ...record, draft }
}

function checkValue (value: unknown, levels: number): void {
  // What JSON.parse makes of 1e400, and no JSON can hold.
  if (value === Infinity || value === -Infinity) { throw new ApiError(400, 'BadRequest', 'The body has a number that is too large to be kept.') }
  if (typeof value !== 'object' || value === null) return
  if (levels === 0) throw new ApiError(400, 'BadRequest', `The body is nested deeper than ${MAX_DEPTH} levels.`)
  for (const member of Object.values(value)) checkValue(member, levels - 1)
}

function contentOf (document: OfferDocument): OfferContent {
  // Clients spell it eTag and Etag.
  return Object.fromEntries(
    Object.entries(document).filter(([name]) => !IGNORED.has(name) && name.toLowerCase() !== 'etag')
  ) as OfferContent
}

function badRequest (field: string, flaw: string): ApiError {
  return new ApiError(400, 'BadRequest', `body/${field} ${flaw}.`)
}
