import { aborted, within } from './attempts.js'
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
  /** Undefined if there is none, or what is none. */
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

/** Whether it is an entity-tag (RFC 9110 8.8.3). `*`, nothing, and a list are none, and would mean something else. */
export function isTag (tag: string | null | undefined): tag is string {
  return /^(W\/)?"[!#-~\x80-\xff]*"$/.test(tag!)
}

/**
 * Sends a request once. What fails ahead of it rejects: an aborted signal, a header that is none, a token that cannot
 * be renewed in time. What fails from then on is an answer with the status 0, because the server may have got the
 * request.
 */
export async function exchange (call: Call, request: Request): Promise<Answer> {
  const { client, signal, timeout = 30_000 } = call
  return await within(timeout, signal, async (signal) => {
    const init = await initOf(call, request, signal)
    return await ask(client, request.url, init).catch((cause: unknown) => ({ status: 0, cause }))
  })
}

async function initOf (
  { client, headers }: Call, { method, body, headers: precondition }: Request, signal: AbortSignal
): Promise<FetchInit> {
  const always = await Promise.race([
    typeof client.headers === 'function' ? client.headers() : client.headers,
    aborted(signal)
  ]) as Record<string, string> | undefined
  signal.throwIfAborted()
  const all = new Headers({ accept: 'application/json' })
  // The precondition comes last: no header of the caller can take its place.
  for (const source of [always, headers, precondition]) {
    for (const name in source) all.set(name, source[name]!)
  }
  return {
    method,
    headers: all,
    signal,
    // A 303 would become a GET, whose 200 says nothing about the write (RFC 9110 15.4.4).
    redirect: method === 'GET' ? 'follow' : 'manual',
    // A stored answer would say that a write was not applied. Some runtimes refuse the member that they do not know.
    ...'cache' in Request.prototype && { cache: 'no-store' as const },
    ...body && { body }
  }
}

async function ask (client: ClientOptions, url: string, init: FetchInit): Promise<Answer> {
  const response = await (client.fetch ?? fetch)(url, init)
  const etag = response.headers.get('etag')
  // Browsers hide a redirect that they do not follow, and another fetch may have followed it.
  const isRedirected = init.method !== 'GET' && (response.redirected || response.status === 0)
  return {
    status: isRedirected ? 303 : response.status,
    etag: isTag(etag) ? etag : undefined,
    retryAfter: delayOf(response.headers.get('retry-after')),
    // The status says what happened. A body that breaks off does not make that unknown.
    text: await response.text().catch(() => undefined)
  }
}

/** Retry-After is a number of seconds or a date (RFC 9110 10.2.3). */
function delayOf (header: string | null): number | undefined {
  const delay = /^\d+$/.test(header!) ? Number(header) * 1000 : Date.parse(header!) - Date.now()
  return isNaN(delay) ? undefined : Math.max(0, delay)
}
