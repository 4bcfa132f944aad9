/** What `openapi-typescript --root-types` makes of an app with the plugin: two operations of it. */
export interface paths {
  '/offers/{id}': {
    get: {
      parameters: { path: { id: string } }
      responses: { 200: { content: { 'application/json': SchemaOffer } } }
    }
    put: {
      parameters: { path: { id: string }, header: { 'If-Match': string } }
      requestBody: { content: { 'application/json': SchemaOffer } }
      responses: { 200: { content: { 'application/json': SchemaOffer } } }
    }
  }
}

export interface SchemaOffer { title: string, price: number }
