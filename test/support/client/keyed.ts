import type { Test } from 'tap'
import { createClient } from 'fastify-if-match/client'
import { answered, stubServer, type Step } from './stub-server.js'

/** A stub server, and a client that gives each change a key of its own. */
export function keyed (t: Test, value?: unknown) {
  const server = stubServer(t, value)
  let keys = 0
  const client = createClient({ ...server, idempotencyKey: () => `key-${++keys}` })
  /** The method, precondition and key of each request. */
  const log = (): string[] => server.log().map((line, index) =>
    [line, server.sent[index]!.headers['idempotency-key']].filter((part) => part !== undefined).join(' '))
  return { ...server, client, log }
}

/** What the plugin answers to a write that it recognises under the option `resend`. */
export const repeated = (value: unknown): Step =>
  () => new Response(JSON.stringify(value), { headers: { etag: '"v1"' } })
/** What it answers if others have written since. */
export const superseded: Step = answered(412, {}, { code: 'FST_IF_MATCH_PRECONDITION_FAILED', ownWrite: 'superseded' })
