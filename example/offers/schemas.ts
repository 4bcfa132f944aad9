import { Type, type Static, type TProperties, type TSchema } from '@fastify/type-provider-typebox'

// Open: offer types have fields of their own, and clients PUT back what they GET (reading 12).
const open = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: true })

const values = <V extends string>(...names: V[]) => Type.Unsafe<V>({ type: 'string', enum: names })

/** The schemas that have a name in the OpenAPI document, and so in the clients that are generated from it. */
export const NAMED_SCHEMAS: TSchema[] = []

function named<S extends TSchema> ($id: string, schema: S) {
  NAMED_SCHEMAS.push({ ...schema, $id })
  return Type.Unsafe<Static<S>>({ $ref: `${$id}#` })
}

export const PublisherParamsSchema = Type.Object({ publisherId: Type.String() })

/** The rule for ids is reading 29. */
export const OfferParamsSchema = Type.Object({
  publisherId: Type.String(),
  offerId: Type.String({ maxLength: 50, pattern: '^[a-z0-9-]*[a-z0-9]$' })
})
export type OfferParams = Static<typeof OfferParamsSchema>

export const VersionParamsSchema = Type.Object({
  ...OfferParamsSchema.properties,
  version: Type.String({ pattern: '^(0|[1-9]\\d*)$' })
})

export const SlotParamsSchema = Type.Object({
  ...OfferParamsSchema.properties,
  slotId: Type.String({ description: 'Draft, Preview or Production, in any case' })
})

export const OperationParamsSchema = Type.Object({ ...OfferParamsSchema.properties, operationId: Type.String() })

/** A hook checks the version of the API, ahead of this schema (reading 7). */
export const QuerySchema = Type.Object({
  'api-version': Type.String({ description: 'The version of the API', examples: ['2017-10-31'] })
})

export const ListQuerySchema = Type.Object({
  ...QuerySchema.properties,
  $filter: Type.Optional(Type.String({ description: "offerTypeId eq '<type>'" }))
})

/** The documentation of the API and its clients call the filter by two names (reading 26). */
export const SubmissionsQuerySchema = Type.Object({
  ...QuerySchema.properties,
  status: Type.Optional(Type.String()),
  submissionState: Type.Optional(Type.String())
})

const DefinitionSchema = open({
  displayText: Type.Optional(Type.String({ description: 'The name of the offer' })),
  offer: Type.Optional(open({})),
  plans: Type.Optional(Type.Array(open({ planId: Type.String() })))
})

/** What a client may PUT: also the whole document that it was given, with the fields that the server owns. */
export const OfferDocumentSchema = named('OfferDocument', open({
  offerTypeId: Type.String({ minLength: 1 }),
  id: Type.Optional(Type.String()),
  publisherId: Type.Optional(Type.String()),
  offerTypeVersions: Type.Optional(Type.Record(Type.String(), Type.Integer())),
  definition: Type.Optional(DefinitionSchema)
}))
export type OfferDocument = Static<typeof OfferDocumentSchema>

const OfferStatusSchema = values(
  'neverPublished',
  'running',
  'waitingForPublisherReview',
  'succeeded',
  'canceled',
  'failed'
)
export type OfferStatus = Static<typeof OfferStatusSchema>

const offerProperties = {
  offerTypeId: Type.String(),
  publisherId: Type.String(),
  id: Type.String(),
  status: OfferStatusSchema,
  version: Type.Integer(),
  changedTime: Type.String()
}

/** An offer. */
export const OfferSchema = named('Offer', open({ ...offerProperties, definition: Type.Optional(DefinitionSchema) }))
export type Offer = Static<typeof OfferSchema> & { [name: string]: unknown }

/** An offer in a list (reading 33). */
export const OfferSummarySchema = named(
  'OfferSummary',
  open({ ...offerProperties, definition: Type.Object({ displayText: Type.Optional(Type.String()) }) })
)
export type OfferSummary = Static<typeof OfferSummarySchema>

// Null is none: a known client sends it (reading 28).
const EmailsSchema = Type.Union([Type.Null(), Type.String({ description: 'A comma-separated list', maxLength: 2000 })])

/** The body of publish and cancel, and of golive from some clients; others send none (reading 28). */
export const ActionBodySchema = Type.Union([
  Type.Null(),
  open({ metadata: Type.Optional(open({ 'notification-emails': Type.Optional(EmailsSchema) })) })
])
export type ActionBody = Static<typeof ActionBodySchema>

/** What went wrong, as HTML (reading 35). */
const MessageSchema = named('Message', Type.Object({
  messageHtml: Type.String(),
  level: values('information', 'error'),
  timestamp: Type.String()
}))

/** A step of a publication (reading 18). */
const StepSchema = named('Step', Type.Object({
  id: Type.String(),
  stepName: Type.String(),
  description: Type.String(),
  estimatedTimeFrame: Type.String(),
  status: values('notStarted', 'inProgress', 'waitingForPublisherReview', 'rejected', 'complete', 'canceled'),
  messages: Type.Array(MessageSchema),
  progressPercentage: Type.Integer({ minimum: 0, maximum: 100 })
}))
export type Step = Static<typeof StepSchema>

const progress = {
  messages: Type.Array(MessageSchema),
  steps: Type.Array(StepSchema),
  previewLinks: Type.Array(Type.String()),
  liveLinks: Type.Array(Type.String()),
  notificationEmails: Type.String()
}

/** How far an offer is. */
export const StatusSchema = named('Status', Type.Object({ status: OfferStatusSchema, ...progress }))
export type Status = Static<typeof StatusSchema>

/** How far an operation is (reading 25). */
export const OperationSchema = named('Operation', Type.Object({
  status: values('running', 'complete', 'canceled', 'failed'),
  ...progress,
  publishingVersion: Type.Integer(),
  offerVersion: Type.Integer(),
  cancellationRequestState: values('canCancel', 'canceled', 'cannotCancel')
}))
export type Operation = Static<typeof OperationSchema>

/** A publication in the list of an offer (reading 26). */
export const SubmissionSummarySchema = named('SubmissionSummary', Type.Object({
  id: Type.String(),
  offerId: Type.String(),
  offerVersion: Type.Integer(),
  offerTypeId: Type.String(),
  publisherId: Type.String(),
  submissionType: values('publish'),
  submissionState: values('running', 'succeeded', 'canceled', 'failed'),
  publishingVersion: Type.Integer(),
  slot: values('preview', 'production'),
  // More than a JavaScript number can hold: the digits are sent as they are.
  version: Type.Unsafe<bigint>({ type: 'integer', format: 'int64' }),
  definition: Type.Object({ metadata: Type.Object({ emails: Type.String() }) }),
  changedTime: Type.String()
}))
export type SubmissionSummary = Static<typeof SubmissionSummarySchema>
