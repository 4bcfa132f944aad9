import { BODY, call, put } from './server-client.js'

/**
 * One round of what clients do, well and badly, on an offer of its own: eleven requests to guarded routes, of which
 * each comes to what its line says.
 */
export async function scriptedRound (port: string, round: number): Promise<void> {
  const id = `offer-${round}`
  const path = `/${id}`
  const bare = { 'content-type': 'application/json' }
  const created = await put(port, id)                                     // applied
  const tag = String(created.headers.get('etag'))
  await put(port, id)                                                     // exists
  await call(port, path)                                                  // read
  await call(port, path, { headers: { 'if-none-match': tag } })           // not-modified
  await put(port, id, { 'if-match': tag })                                // applied
  await put(port, id, { 'if-match': tag })                                // mismatch
  await put(port, id, { 'if-match': '*' })                                // applied
  await call(port, path, { method: 'PUT', headers: bare, body: BODY })    // missing
  await put(port, id, { 'if-match': 'unquoted' })                         // malformed
  await call(port, `${path}-gone`)                                        // absent
  await call(port, path, { headers: { authorization: 'Bearer nobody' } }) // declined
}
