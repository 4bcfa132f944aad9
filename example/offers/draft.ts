import { ApiError } from '../errors.js'
import { timestamp } from '../timestamp.js'
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
 * @throws ApiError 400
 */
export function checkDocument (document: OfferDocument, params: OfferParams): void {
  const { id, publisherId } = document
  if (id !== undefined && id !== params.offerId) throw badRequest('id', 'differs from the offer in the address')
  if (publisherId !== undefined && publisherId !== params.publisherId) throw badRequest('publisherId', 'differs from the publisher in the address')
  if (isDeeper(document, MAX_DEPTH)) throw new ApiError(400, 'BadRequest', `The body is nested deeper than ${MAX_DEPTH} levels.`)
  if (hasInfinity(document)) throw new ApiError(400, 'BadRequest', 'The body has a number that is too large to be kept.')
}

/**
 * What a PUT leaves behind: it replaces the whole draft, and nothing else. What was published stays as it was.
 *
 * @throws ApiError 400 if it changes the type of the offer
 */
export function withDraft (record: OfferRecord | undefined, document: OfferDocument, { publisherId, offerId }: OfferParams, now: number): OfferRecord {
  const fixed = record?.draft.content.offerTypeId
  if (fixed !== undefined && fixed !== document.offerTypeId) throw badRequest('offerTypeId', `was fixed to ${fixed} when the offer was created`)
  const draft = { content: contentOf(document), changedTime: timestamp(now) }
  return record === undefined ? { publisherId, id: offerId, draft, slots: {}, versions: [], submissions: [] } : { ...record, draft }
}

function isDeeper (value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1))
}

// What JSON.parse makes of 1e400, and no JSON can hold.
function hasInfinity (value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  return typeof value === 'object' && value !== null && Object.values(value).some((member) => hasInfinity(member))
}

function contentOf (document: OfferDocument): OfferContent {
  // Clients spell it eTag and Etag.
  return Object.fromEntries(Object.entries(document).filter(([name]) => !IGNORED.has(name) && name.toLowerCase() !== 'etag')) as OfferContent
}

function badRequest (field: string, flaw: string): ApiError {
  return new ApiError(400, 'BadRequest', `body/${field} ${flaw}.`)
}
