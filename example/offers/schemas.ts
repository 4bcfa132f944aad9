import { Type, type Static } from '@fastify/type-provider-typebox'

export const PublisherParamsSchema = Type.Object({ publisherId: Type.String() })

/** The rules of CPP §3. */
export const OfferParamsSchema = Type.Object({
  publisherId: Type.String(),
  offerId: Type.String({ maxLength: 50, pattern: '^[a-z0-9-]*[a-z0-9]$' })
})
export type OfferParams = Static<typeof OfferParamsSchema>

const DefinitionSchema = Type.Object({
  displayText: Type.Optional(Type.String()),
  offer: Type.Optional(Type.Object({})),
  plans: Type.Optional(Type.Array(Type.Object({ planId: Type.String() })))
})

/**
 * What a client may PUT. Every object is open: offer types have fields of their own, and clients send back the whole
 * document that they were given, with what the server owns in it (CPP §2).
 */
export const OfferDocumentSchema = Type.Object({
  offerTypeId: Type.String({ minLength: 1 }),
  id: Type.Optional(Type.String()),
  publisherId: Type.Optional(Type.String()),
  offerTypeVersions: Type.Optional(Type.Record(Type.String(), Type.Integer())),
  definition: Type.Optional(DefinitionSchema)
})
export type OfferDocument = Static<typeof OfferDocumentSchema>
