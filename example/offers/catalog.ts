import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { API_VERSIONS } from './api-version.js'
import { errorResponses } from './error-schema.js'
import { QuerySchema } from '../offers/schemas.js'

const OFFER_TYPES = [
  { id: 'microsoft-azure-virtualmachines', version: 0, definition: { displayText: 'Virtual machines' } },
  { id: 'microsoft-azure-corevm', version: 0, definition: { displayText: 'Core virtual machines' } }
]

const entity = <D extends Parameters<typeof Type.Object>[0]>(definition: D) =>
  Type.Object({ id: Type.String(), version: Type.Integer(), definition: Type.Object(definition) })

/** The publishers that a token may act for, and the types of offers (CPP §3, routes 13 and 14). */
export const catalog: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/publishers',
    {
      schema: {
        operationId: 'listPublishers',
        summary: 'Retrieve the publishers that the token has a role on',
        querystring: QuerySchema,
        response: {
          200: Type.Array(
            entity({
              displayText: Type.String(),
              offerTypeCategories: Type.Array(Type.String()),
              sellerId: Type.Integer()
            })
          ),
          ...errorResponses
        }
      }
    },
    async ({ token }) =>
      [...token!.roles.keys()].map((id) => ({
        id,
        version: 0,
        definition: { displayText: id, offerTypeCategories: OFFER_TYPES.map((type) => type.id), sellerId: 0 }
      }))
  )

  app.get('/offerTypes', {
    // The examples of this one call alone use the older version (CPP §2).
    config: { apiVersions: [...API_VERSIONS, '2016-08-01-preview'] },
    schema: {
      operationId: 'listOfferTypes',
      summary: 'Retrieve the types of offers',
      querystring: QuerySchema,
      response: { 200: Type.Array(entity({ displayText: Type.String() })), ...errorResponses }
    }
  }, async () => OFFER_TYPES)
}
