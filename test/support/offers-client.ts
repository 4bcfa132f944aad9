// A client knows the document of the API and nothing of the server, so these types are its own.

type OfferStatus = 'neverPublished' | 'running' | 'waitingForPublisherReview' | 'succeeded' | 'canceled' | 'failed'

interface Address { apiVersion: string, publisherId: string, offerId: string }
interface OfferDocument {
  offerTypeId: string
  definition?: { displayText?: string, plans?: Array<{ planId: string }> }
}
interface Offer { id: string, status: OfferStatus, version: number, definition?: { displayText?: string } }
interface Operation {
  status: 'running' | 'complete' | 'canceled' | 'failed'
  publishingVersion: number
  steps: Array<{ stepName: string, status: string }>
}
interface Failure { error: { code: string, message: string } }

export interface Answer<D> { status: number, headers: Headers, data?: D | Failure }

/** What a test uses of a client that is generated from the OpenAPI document. */
export interface OffersClient {
  defaults: { baseUrl: string, headers: Record<string, string | null | boolean | number | undefined> }
  getOffer: (request: Address & { ifNoneMatch?: string }) => Promise<Answer<Offer>>
  putOffer: (
    request: Address & { ifMatch?: string, ifNoneMatch?: string, offerDocument: OfferDocument }
  ) => Promise<Answer<Offer>>
  publishOffer: (
    request: Address & { ifMatch: string, body?: { metadata: { 'notification-emails': string } } }
  ) => Promise<Answer<Operation>>
  goLiveOffer: (request: Address & { ifMatch: string }) => Promise<Answer<Operation>>
  cancelOffer: (request: Address & { ifMatch: string }) => Promise<Answer<Operation | { status: OfferStatus }>>
  getOperation: (request: Address & { operationId: string }) => Promise<Answer<Operation>>
  getOfferStatus: (request: Address) => Promise<Answer<{ status: OfferStatus, steps: Operation['steps'] }>>
  getOfferSlot: (request: Address & { slotId: string }) => Promise<Answer<Offer>>
}
