import { ApiError } from '../app/errors.js'
import { timestamp } from '../app/timestamp.js'
import { MAX_DOCUMENT, sizeOf } from './limits.js'
import type { OfferContent, OfferRecord } from './record.js'
import type { OfferDocument, OfferParams } from './schemas.js'

// Clients send these back because they were given them, and cannot set them (reading 12). Only requests have
// offerTypeVersions.
const IGNORED = new Set([
  'id', 'publisherId', 'status', 'version', 'changedTime', 'offerTypeVersions',
  'pcMigrationStatus', 'pcRedirectUri', 'isvUpgradeRequest',
  'lockStatus', 'offerTypeChanges', 'pricingNotRecalculatedRegions', 'offerTypeVersionsOverride'
])

// The storage takes 512 levels, and a published document lies some levels deeper in it than a draft.
const MAX_DEPTH = 500

/**
 * Refuses a document that contradicts its address, or that cannot be kept (reading 10).
 *
 * @throws ApiError 400, or 413 for a document that is too large
 */
export function checkDocument (document: OfferDocument, params: OfferParams): void {
  const { id, publisherId } = document
  if (id !== undefined && id !== params.offerId) throw wrongField('id', 'differs from the offer in the address')
  if (publisherId !== undefined && publisherId !== params.publisherId) {
    throw wrongField('publisherId', 'differs from the publisher in the address')
  }
  checkDepth(document, MAX_DEPTH)
  // Its size as it is kept, not as it was sent: 1e20 becomes 21 digits.
  if (sizeOf(contentOf(document)) > MAX_DOCUMENT) {
    throw new ApiError(
      413,
      'DocumentTooLarge',
      `The document takes more than ${MAX_DOCUMENT} bytes. Send a smaller one.`
    )
  }
}

/**
 * The offer after a PUT, which replaces the whole draft and nothing else. Published versions stay as they are.
 *
 * @throws ApiError 400 if the document changes the type of the offer
 */
export function withDraft (
  record: OfferRecord | undefined,
  document: OfferDocument,
  { publisherId, offerId }: OfferParams,
  now: number
): OfferRecord {
  const type = record?.draft.content.offerTypeId
  if (type !== undefined && type !== document.offerTypeId) {
    throw wrongField('offerTypeId', 'differs from that of the offer, which was fixed when it was created')
  }
  const draft = { content: contentOf(document), changedTime: timestamp(now) }
  return record === undefined
    ? { publisherId, id: offerId, draft, slots: {}, versions: [], submissions: [] }
    : { ...record, draft }
}

function checkDepth (value: unknown, levels: number): void {
  if (typeof value !== 'object' || value === null) return
  if (levels === 0) throw badRequest(`The body is nested deeper than ${MAX_DEPTH} levels.`)
  for (const member of Object.values(value)) checkDepth(member, levels - 1)
}

function contentOf (document: OfferDocument): OfferContent {
  // Clients spell it eTag and Etag.
  const isKept = (name: string): boolean => !IGNORED.has(name) && name.toLowerCase() !== 'etag'
  return Object.fromEntries(Object.entries(document).filter(([name]) => isKept(name))) as OfferContent
}

function wrongField (field: string, flaw: string): ApiError {
  return badRequest(`body/${field} ${flaw}.`)
}

function badRequest (message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}
