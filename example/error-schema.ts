import { Type, type Static } from '@fastify/type-provider-typebox'

/** The form of every error (CPP §2). */
export const ErrorSchema = Type.Object({ error: Type.Object({ code: Type.String(), message: Type.String() }) })
export type ErrorBody = Static<typeof ErrorSchema>

/** The errors of every route, in the same form. */
export const errorResponses = { '4xx': ErrorSchema, '5xx': ErrorSchema }
