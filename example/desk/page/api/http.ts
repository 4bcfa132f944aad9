import type { Failure } from '../model/failure.js'

/** What came of a request. */
export type Answer<V> =
  | { kind: 'ok', status: number, tag: string | undefined, value: V }
  /** 304: the version is still the one of the tag that was sent. */
  | { kind: 'unchanged' }
  | { kind: 'failed', failure: Failure }

/** What a request is made of, besides its address. */
export interface Call {
  method: 'GET' | 'PUT' | 'POST'
  token: string
  /** Header fields: the tag of a precondition exactly as it was received. */
  headers?: Record<string, string>
  body?: unknown
}

/** A server that says nothing for so long is taken for away, in milliseconds. */
const PATIENCE = 30_000

/** Sends a request of the offers API. It never rejects: what went wrong is part of the answer. */
export async function send<V> (path: string, { method, token, headers, body }: Call): Promise<Answer<V>> {
  try {
    const response = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // A stored answer would carry an old tag: the page says itself when an unchanged version is enough.
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE)
    })
    if (response.status === 304) return { kind: 'unchanged' }
    return answerOf(response, await response.text())
  } catch (error) {
    // A header that no request can carry, such as a token with a line break, never left the page.
    if (error instanceof TypeError && !isSendable(token)) return unauthorised()
    return { kind: 'failed', failure: { kind: 'lost' } }
  }
}

function answerOf<V> (response: Response, text: string): Answer<V> {
  const { status } = response
  const value = parsed(text)
  if (response.ok && value !== undefined) {
    return { kind: 'ok', status, tag: response.headers.get('etag') ?? undefined, value: value as V }
  }
  const { code, message } = (value as { error?: { code?: unknown, message?: unknown } } | undefined)?.error ?? {}
  // A gateway says in its own words that the server does not answer it: what became of a write, it does not know.
  if (typeof code !== 'string' && isAwayBehindGateway(status)) return { kind: 'failed', failure: { kind: 'lost' } }
  const failure: Failure = typeof code === 'string'
    ? { kind: 'refused', status, code, message: String(message) }
    : { kind: 'refused', status, code: CODE_OF_STATUS[status] ?? 'NotJson', message: '' }
  return { kind: 'failed', failure }
}

/** What a gateway may say in its own words, and the server in the same sense. */
const CODE_OF_STATUS: Readonly<Record<number, string>> = { 401: 'Unauthorized', 429: 'TooManyRequests' }

// 502, 503 and 504 (RFC 9110 15.6), and those from 520 on that content networks add.
function isAwayBehindGateway (status: number): boolean {
  return (status >= 502 && status <= 504) || (status >= 520 && status <= 530)
}

function unauthorised (): Answer<never> {
  return { kind: 'failed', failure: { kind: 'refused', status: 401, code: 'Unauthorized', message: '' } }
}

function isSendable (token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token)
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
