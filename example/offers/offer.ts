import { ApiError } from '../app/errors.js'
import { versionOf } from './lifecycle.js'
import type { Draft, OfferRecord } from './record.js'
import type { Offer, OfferStatus, OfferSummary } from './schemas.js'

/** The status of the offer: the state of its newest publication. */
export function statusOf ({ submissions }: OfferRecord): OfferStatus {
  return submissions[0]?.state ?? 'neverPublished'
}

/** The offer as GET shows it: its draft, and the fields that the server owns. */
export function draftOf (record: OfferRecord): Offer {
  return shown(record, record.draft, versionOf(record))
}

/**
 * A version as it was published. Its status is that of the offer (reading 17).
 *
 * @throws ApiError 404
 */
export function publishedOf (record: OfferRecord, version: number): Offer {
  const found = record.versions.find((candidate) => candidate.version === version)
  if (found === undefined) {
    throw new ApiError(
      404,
      'VersionNotFound',
      'This offer has no such version. A draft becomes one when it is published.'
    )
  }
  return shown(record, found, version)
}

/** The slots of an offer. */
export type Slot = 'draft' | 'preview' | 'production'

/**
 * The slot of this name, in any case (reading 34).
 *
 * @throws ApiError 400 for any other name
 */
export function slotNamed (name: string): Slot {
  const slot = name.toLowerCase()
  if (slot === 'draft' || slot === 'preview' || slot === 'production') return slot
  throw new ApiError(400, 'BadRequest', 'The slots of an offer are Draft, Preview and Production.')
}

/**
 * What a slot holds.
 *
 * @throws ApiError 404 if it is empty
 */
export function slotOf (record: OfferRecord, slot: Slot): Offer {
  if (slot === 'draft') return draftOf(record)
  const version = record.slots[slot]
  if (version === undefined) throw new ApiError(404, 'SlotEmpty', `Nothing is in the slot ${slot} of this offer.`)
  return publishedOf(record, version)
}

/** The offer as a list shows it: its definition has the name alone (reading 33). */
export function summaryOf (record: OfferRecord): OfferSummary {
  const { definition, ...offer } = draftOf(record)
  const { displayText } = definition ?? {}
  return { ...offer, definition: displayText === undefined ? {} : { displayText } } as OfferSummary
}

function shown (record: OfferRecord, { content, changedTime }: Draft, version: number): Offer {
  const { publisherId, id } = record
  return { ...content, publisherId, id, status: statusOf(record), version, changedTime }
}
