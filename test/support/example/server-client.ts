/** The body of an offer that can be stored. */
export const BODY = '{"offerTypeId":"x"}'

/** Calls a server on this machine as contoso, at a path below its offers. */
export async function call (port: string, path: string, init: RequestInit = {}): Promise<Response> {
  // Each request has a connection of its own, so that the next one may reach another process.
  return await fetch(`http://127.0.0.1:${port}/api/publishers/contoso/offers${path}?api-version=2017-10-31`, {
    ...init,
    headers: { authorization: 'Bearer dev-contoso', connection: 'close', ...init.headers }
  })
}

/** Puts an offer into such a server. */
export async function put (
  port: string,
  id: string,
  headers: Record<string, string> = { 'if-none-match': '*' }
): Promise<Response> {
  return await call(port, `/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: BODY
  })
}
