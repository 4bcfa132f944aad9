import { Type, type FastifyPluginAsyncTypebox, type TProperties } from '@fastify/type-provider-typebox'
import { API_VERSIONS } from '../app/api-version.js'
import { errorResponses } from '../app/error-schema.js'
import { QuerySchema } from './schemas.js'

const OFFER_TYPES = [
  { id: 'microsoft-azure-virtualmachines', version: 0, definition: { displayText: 'Virtual machines' } },
  { id: 'microsoft-azure-corevm', version: 0, definition: { displayText: 'Core virtual machines' } }
]

const entryOf = <D extends TProperties>(definition: D) =>
  Type.Object({ id: Type.String(), version: Type.Integer(), definition: Type.Object(definition) })

const PublisherSchema = entryOf({
  displayText: Type.String(),
  offerTypeCategories: Type.Array(Type.String()),
  sellerId: Type.Integer()
})

const OfferTypeSchema = entryOf({ displayText: Type.String() })

/** The publishers that a token has a role on, and the types of offers. */
export const catalog: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/publishers', {
    schema: {
      operationId: 'listPublishers',
      summary: 'Retrieve the publishers that the token has a role on',
      querystring: QuerySchema,
      response: { 200: Type.Array(PublisherSchema), ...errorResponses }
    }
  }, async ({ token }) =>
    [...token!.roles.keys()].map((id) => ({
      id,
      version: 0,
      definition: { displayText: id, offerTypeCategories: OFFER_TYPES.map((type) => type.id), sellerId: 0 }
    })))

  app.get('/offerTypes', {
    // The one call that the older version is accepted for (reading 8).
    config: { apiVersions: [...API_VERSIONS, '2016-08-01-preview'] },
    schema: {
      operationId: 'listOfferTypes',
      summary: 'Retrieve the types of offers',
      querystring: QuerySchema,
      response: { 200: Type.Array(OfferTypeSchema), ...errorResponses }
    }
  }, async () => OFFER_TYPES)
}
