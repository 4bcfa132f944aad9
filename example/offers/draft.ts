import { ApiError } from '../errors.js'
import type { Offer } from './offer.js'
import type { OfferDocument, OfferParams } from './schemas.js'

// What clients send back because they were given it, and cannot set (CPP §5). offerTypeVersions is for requests alone.
const IGNORED = new Set([
  'id', 'publisherId', 'status', 'version', 'changedTime', 'offerTypeVersions',
  'pcMigrationStatus', 'pcRedirectUri', 'isvUpgradeRequest',
  'lockStatus', 'offerTypeChanges', 'pricingNotRecalculatedRegions', 'offerTypeVersionsOverride'
])

/**
 * Refuses a document that says it is another offer than its address does.
 *
 * @throws ApiError 400
 */
export function checkIdentity ({ id, publisherId }: OfferDocument, params: OfferParams): void {
  if (id !== undefined && id !== params.offerId) throw badRequest('id', 'differs from the offer in the address')
  if (publisherId !== undefined && publisherId !== params.publisherId) throw badRequest('publisherId', 'differs from the publisher in the address')
}

/**
 * The draft that a PUT leaves behind: it replaces the whole document, but for what the server owns.
 *
 * @throws ApiError 400 if it changes the type of the offer
 */
export function nextDraft (document: OfferDocument, { publisherId, offerId }: OfferParams, previous: Offer | undefined): Offer {
  if (previous !== undefined && previous.offerTypeId !== document.offerTypeId) {
    throw badRequest('offerTypeId', `was fixed to ${previous.offerTypeId} when the offer was created`)
  }
  return {
    ...contentOf(document),
    offerTypeId: document.offerTypeId,
    publisherId,
    id: offerId,
    status: previous?.status ?? 'neverPublished',
    version: previous?.version ?? 0,
    changedTime: timestamp(new Date())
  }
}

function contentOf (document: OfferDocument): Record<string, unknown> {
  // Clients spell it eTag and Etag.
  return Object.fromEntries(Object.entries(document).filter(([name]) => !IGNORED.has(name) && name.toLowerCase() !== 'etag'))
}

// Seven fractional digits, of which this clock knows three (CPP §5).
function timestamp (date: Date): string {
  return date.toISOString().replace('Z', '0000Z')
}

function badRequest (field: string, flaw: string): ApiError {
  return new ApiError(400, 'BadRequest', `body/${field} ${flaw}.`)
}
