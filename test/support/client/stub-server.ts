import type { Test } from 'tap'
import type { FetchInit } from 'fastify-if-match/client'

export interface Sent { method: string, url: string, headers: Record<string, string>, body: unknown }

/** What happens to a request: `apply` carries it out and gives the answer. */
export type Step = (apply: () => Response, init: FetchInit, sent: Sent) => Response | Promise<Response>

/** A server of one JSON entity as a `fetch`. Its steps happen to the next requests, in order; then each is served. */
export function stubServer (t: Test, value?: unknown) {
  // Pauses are shares of a random number.
  t.intercept(Math, 'random', { value: () => 0 })
  let version = 0
  const stored = { value, tag: value === undefined ? undefined : '"v0"' }
  const steps: Step[] = []
  const sent: Sent[] = []

  /** Somebody else writes, or removes. */
  const store = (next: unknown): void => {
    stored.value = next
    stored.tag = next === undefined ? undefined : `"v${++version}"`
  }

  function serve ({ method, headers, body }: Sent): Response {
    const answer = (status: number): Response => new Response(
      status === 200 ? JSON.stringify(stored.value) : null, { status, headers: stored.tag ? { etag: stored.tag } : {} }
    )
    const current = stored.tag
    if (method === 'GET') {
      return answer(current === undefined ? 404 : headers['if-none-match'] === current ? 304 : 200)
    }
    const isFalse = headers['if-none-match'] === '*'
      ? current !== undefined
      : headers['if-match'] !== '*' && headers['if-match'] !== current
    if (isFalse) return answer(method === 'DELETE' && current === undefined ? 404 : 412)
    store(method === 'DELETE' ? undefined : body)
    return answer(method === 'DELETE' ? 204 : 200)
  }

  const fetch = async (url: string, init: FetchInit): Promise<Response> => {
    const { method, headers, body } = init
    const request = {
      method,
      url,
      headers: Object.fromEntries(headers),
      body: body === undefined ? undefined : JSON.parse(body)
    }
    sent.push(request)
    const step = steps.shift()
    return step === undefined ? serve(request) : await step(() => serve(request), init, request)
  }
  /** The methods, with the precondition of a write: `PUT "v0"`. */
  const log = (): string[] => sent.map(({ method, headers }) =>
    [method, headers['if-match'] ?? headers['if-none-match']].filter((part) => part !== undefined).join(' '))
  return { fetch, steps, sent, stored, store, log }
}

/** It is carried out, and its answer is lost. */
export const lostAnswer: Step = (apply) => {
  apply()
  throw new TypeError('fetch failed')
}

/** It never arrives. */
export const neverSent: Step = () => { throw new TypeError('fetch failed') }

/** It is answered so, and not carried out. */
export const answered = (status: number, headers: Record<string, string> = {}, body?: object): Step =>
  () => new Response(body === undefined ? null : JSON.stringify(body), { status, headers })

/** This happens ahead of the request, which is served. */
export const after = (event: () => void): Step => (apply) => {
  event()
  return apply()
}

/** It is lost on its way, and arrives with a later request, ahead of it: gives the step of each of both. */
export function late (): [Step, Step] {
  let arrive: () => Response
  return [
    (apply) => {
      arrive = apply
      throw new TypeError('fetch failed')
    },
    (apply) => {
      arrive()
      return apply()
    }
  ]
}
