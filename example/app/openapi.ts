import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { TSchema } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { transform } from 'fastify-if-match/openapi'
import fp from 'fastify-plugin'
import { API_VERSIONS } from './api-version.js'
import { ErrorSchema } from './error-schema.js'
import { includesDevelopmentToken, type Token } from './tokens.js'

const DESCRIPTION = `Every change names its strategy. \`If-Match\` with the \`ETag\` of an earlier answer changes
that version and no other (412). \`If-Match: *\` skips the comparison: the last write wins. Without the header nothing
happens (400).`

// The page runs its own files alone and talks to this server alone. Its script adds a style element.
const PAGE_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'"
}

/** What the document is made of, besides the routes. */
export interface OpenApiOptions {
  /** The schemas that have a name in the document. */
  schemas: readonly TSchema[]
  /** The page names those of development, to try it with. */
  tokens?: readonly Token[]
}

/**
 * The API as an OpenAPI document, `GET /docs/json`, and as a page to try it on, `GET /docs`. Neither needs a token.
 * Register it on the root, ahead of the routes that it describes.
 */
export const openApi = fp(async (app: FastifyInstance, { schemas, tokens = [] }: OpenApiOptions): Promise<void> => {
  for (const schema of [ErrorSchema, ...schemas]) app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      // The version that generators of clients read best.
      openapi: '3.0.3',
      info: { title: 'Offers API', version: API_VERSIONS[0]!, description: DESCRIPTION + hintOf(tokens) },
      tags: [
        { name: 'Offers', description: 'The offers of publishers' },
        { name: 'Server', description: 'The state of this server' }
      ],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } }
    },
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
    transform: describe,
    transformObject: letBodiesBeMissing
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: PAGE_POLICY, uiConfig: { tryItOutEnabled: true } })
}, { name: 'openapi' })

/** How to try the API with the tokens of development, if any is in use. Others are secrets, and never shown. */
function hintOf (tokens: readonly Token[]): string {
  const known = tokens
    .filter((token) => includesDevelopmentToken([token]))
    .map(({ secret, roles }) => `\`${secret}\` (${[...roles.keys()].join(', ')})`)
  return known.length === 0 ? '' : `\n\nDevelopment tokens, for the publishers in brackets: ${known.join(', ')}.`
}

/** The schema of a route, with what the hooks of the app add to each. */
const describe: NonNullable<FastifyDynamicSwaggerOptions['transform']> = ({ schema, url, route }) => {
  const added: FastifySchema = url.startsWith('/api/')
    ? { tags: ['Offers'], security: [{ bearer: [] }] }
    : { tags: ['Server'] }
  return transform({ schema: { ...added, ...schema }, url, route })
}

/** Says that a body which may be null may be missing as well: @fastify/swagger does not. */
const letBodiesBeMissing: NonNullable<FastifyDynamicSwaggerOptions['transformObject']> = (document) => {
  const { openapiObject } = document as Extract<typeof document, { openapiObject: object }>
  for (const path of Object.values(openapiObject.paths!)) {
    const body = path!.post?.requestBody as
      { content: Record<string, { schema: { nullable?: boolean } }>, required: boolean } | undefined
    if (body !== undefined) body.required = body.content['application/json']!.schema.nullable !== true
  }
  return openapiObject
}
