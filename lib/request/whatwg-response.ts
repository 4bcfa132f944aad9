import type { FastifyReply } from 'fastify'

const { toString } = Object.prototype

/** Whether Fastify takes it for a `Response`, of whatever realm. */
export function isResponse (payload: unknown): payload is Response {
  return typeof payload === 'object' && payload !== null && toString.call(payload) === '[object Response]'
}

/** Takes a `Response` to a HEAD apart; null would make Fastify's own hook throw. */
export function unpackHead (reply: FastifyReply, payload: Response): unknown {
  reply.code(payload.status)
  copyHeaders(payload, reply)
  return payload.body ?? new Response('').body
}

/** Releases a body that will not be sent: a stream of either kind, or the one inside a `Response`. */
export function discard (payload: unknown): void {
  const body = (isResponse(payload) ? payload.body : payload) as
    { destroy?: () => void, cancel?: () => Promise<void> } | null | undefined
  if (typeof body?.destroy === 'function') body.destroy()
  else if (typeof body?.cancel === 'function') body.cancel().catch(() => {})
}

/** Sets the headers of a `Response`. Each of several Set-Cookie is a member of its own: the reply keeps them all. */
export function copyHeaders ({ headers }: Response, reply: FastifyReply): void {
  for (const [name, value] of headers) reply.header(name, value)
}
