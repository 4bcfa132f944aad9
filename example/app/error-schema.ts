import { Type, type Static } from '@fastify/type-provider-typebox'

/** The body of every refusal (readings 30 and 39). */
export const ErrorSchema = Type.Object(
  {
    error: Type.Object({
      code: Type.String(),
      message: Type.String(),
      ownWrite: Type.Optional(Type.Unsafe<'current' | 'superseded'>({
        type: 'string',
        enum: ['current', 'superseded'],
        description: 'The change was applied by an earlier try: it is current, or others have written since'
      }))
    })
  },
  { $id: 'Error', description: 'The error' }
)
export type ErrorBody = Static<typeof ErrorSchema>

const AnyError = Type.Unsafe<ErrorBody>({ $ref: 'Error#' })

/** The errors of every route, under the name `default`: generators of clients trip over ranges like 4XX. */
export const errorResponses = { default: AnyError }
