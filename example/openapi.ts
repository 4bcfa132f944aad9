import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Type, type TObject } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { transform } from 'fastify-if-match/openapi'
import fp from 'fastify-plugin'
import { API_VERSIONS } from './api-version.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What the document says about the route beyond its schema. Answers belong here: Fastify would serialise by a
     * `schema.response`, and drop what it does not list.
     */
    openApi?: FastifySchema
  }
}

const DESCRIPTION = `Every change names its strategy: \`If-Match\` with the \`ETag\` of an earlier answer changes that version and no other (412),
\`If-Match: *\` is the last one that wins, and without the header nothing happens (400).`

const ErrorSchema = Type.Object({ error: Type.Object({ code: Type.String(), message: Type.String() }) }, { $id: 'Error', description: 'The error' })
const ANY_ERROR = { '4xx': { $ref: 'Error#' }, '5xx': { $ref: 'Error#' } }
// Where a route says nothing about its success; @fastify/swagger adds it only where there is no other answer.
const SUCCESS = { 200: { type: 'null', description: 'Success' } }

const VersionSchema = Type.String({ enum: [...API_VERSIONS], default: API_VERSIONS[0]! })

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

/**
 * The API as an OpenAPI document, `GET /docs/json`, and as a page to try it on, `GET /docs`. Both ask for no token.
 * Registered on the root ahead of the routes that it describes; before or after the plugin is the same.
 */
export const openApi = fp(async (app: FastifyInstance): Promise<void> => {
  app.addSchema(ErrorSchema)
  await app.register(swagger, {
    openapi: {
      // What generators of clients read best.
      openapi: '3.0.3',
      info: { title: 'Offers API', version: API_VERSIONS[0]!, description: DESCRIPTION },
      tags: [{ name: 'Offers', description: 'Offers of a publisher' }, { name: 'Server', description: 'The state of this server' }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } }
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, at) => typeof json.$id === 'string' ? json.$id : `Schema${at}` },
    transform: describe
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: PAGE_POLICY, uiConfig: { tryItOutEnabled: true } })
}, { name: 'openapi' })

/** The schema of a route, with what hooks and error handlers of the app add to each. */
const describe: NonNullable<FastifyDynamicSwaggerOptions['transform']> = ({ schema, url, route }) => {
  const { response, ...own }: FastifySchema = { ...schema, ...route.config?.openApi }
  const isOfApi = url.startsWith('/api/')
  const answers = { ...ANY_ERROR, ...response as object | undefined }
  const isOpen = !Object.keys(answers).some((status) => status.startsWith('2'))
  const described = { tags: [isOfApi ? 'Offers' : 'Server'], ...own, response: { ...isOpen && SUCCESS, ...answers } }
  return transform({ schema: isOfApi ? behindAuthentication(described) : described, url, route })
}

// What authenticate and checkApiVersion ask for.
function behindAuthentication (schema: FastifySchema): FastifySchema {
  const { properties, required = [] } = (schema.querystring ?? {}) as Partial<TObject>
  return {
    ...schema,
    security: [{ bearer: [] }],
    querystring: { type: 'object', properties: { 'api-version': VersionSchema, ...properties }, required: ['api-version', ...required] }
  }
}
