import { LONGEST } from './attempts.js'
import type { CallOptions, ClientOptions, FetchInit } from './types.js'

export interface Request {
  method: string
  url: string
  /** The precondition, and the content type of a body. */
  headers?: Record<string, string> | undefined
  body?: string
}

export interface Answer {
  /** 0 if there is no answer. */
  status: number
  etag?: string | undefined
  /** How long the server asks to wait, in milliseconds. */
  retryAfter?: number | undefined
  /** The body; undefined if it broke off. */
  text?: string | undefined
  /** Why there is no answer. */
  cause?: unknown
}

/** A client and a call, as one. */
export type Call = CallOptions & { client: ClientOptions }

/**
 * Sends a request once. What fails ahead of it rejects: an aborted signal, a header that is none, a token that cannot
 * be renewed. What fails from then on is an answer with the status 0, because the server may have got the request.
 */
export async function exchange (call: Call, { method, url, headers, body }: Request): Promise<Answer> {
  const { client, signal, timeout = 30_000 } = call
  const all = new Headers({ accept: 'application/json' })
  const always = typeof client.headers === 'function' ? await client.headers() : client.headers
  // The precondition comes last: no header of the caller can take its place.
  for (const source of [always, call.headers, headers]) {
    for (const name in source) all.set(name, source[name]!)
  }
  signal?.throwIfAborted()
  const controller = new AbortController()
  const stop = (): void => { controller.abort(signal!.reason) }
  const giveUp = (): void => { controller.abort(new Error(`no answer within ${timeout} ms`)) }
  const timer = setTimeout(giveUp, Math.min(timeout, LONGEST))
  signal?.addEventListener('abort', stop)
  const init = { method, headers: all, signal: controller.signal, ...body !== undefined && { body } }
  const answer = await ask(client, url, init).catch((cause: unknown) => ({ status: 0, cause }))
  clearTimeout(timer)
  signal?.removeEventListener('abort', stop)
  return answer
}

async function ask (client: ClientOptions, url: string, init: FetchInit): Promise<Answer> {
  const response = await (client.fetch ?? fetch)(url, init)
  return {
    status: response.status,
    etag: response.headers.get('etag') ?? undefined,
    retryAfter: delayOf(response.headers.get('retry-after')),
    // The status says what happened. A body that breaks off does not make that unknown.
    text: await response.text().catch(() => undefined)
  }
}

/** Retry-After is a number of seconds or a date (RFC 9110 10.2.3). */
function delayOf (header: string | null): number | undefined {
  const delay = header === null ? NaN : /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(delay) ? undefined : Math.max(delay, 0)
}
