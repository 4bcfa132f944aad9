/** What openapi-typescript makes of an app with the plugin: two operations of it. */
export interface paths {
  '/offers/{id}': {
    get: {
      parameters: { path: { id: string } }
      responses: { 200: { content: { 'application/json': { title: string, price: number } } } }
    }
    put: {
      parameters: { path: { id: string }, header: { 'If-Match': string } }
      requestBody: { content: { 'application/json': { title: string, price: number } } }
      responses: { 200: { content: { 'application/json': { title: string, price: number } } } }
    }
  }
}
