import createApi from 'openapi-fetch'
import { createClient, type Written } from 'fastify-if-match/client'
import type { paths, SchemaOffer } from './openapi-types.js'  // what openapi-typescript --root-types makes

export function offersApi (baseUrl: string) {
  const api = createApi<paths>({ baseUrl })
  const client = createClient()
  return {
    /** One request: the tag is a header like any other, and the compiler asks for it. */
    async save (id: string, body: SchemaOffer, etag: string): Promise<'saved' | 'conflict'> {
      const params = { path: { id }, header: { 'If-Match': etag } }
      const { response } = await api.PUT('/offers/{id}', { params, body })
      if (response.status === 412) return 'conflict'
      if (!response.ok) throw new Error(`status ${response.status}`)
      return 'saved'
    },
    /** The whole workflow, with the types of the document. */
    async raise (id: string): Promise<Written<SchemaOffer>> {
      return await client.update<SchemaOffer>(`${baseUrl}/offers/${id}`, (offer) => { offer.price++ })
    }
  }
}
