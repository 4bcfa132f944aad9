import type { Attempts } from './attempts.js'
import { errorOf, MissingTagError, RequestError } from './errors.js'
import { exchange, type Call } from './exchange.js'
import { parsed } from './json.js'
import type { Current } from './types.js'

/** Reads what is stored. It changes nothing, so it is tried again after whatever may pass, while tries are left. */
export async function read<T> (call: Call, url: string, tries: Attempts, known?: Current<T>): Promise<Current<T>> {
  const request = { method: 'GET', url, headers: known && { 'if-none-match': known.etag } }
  for (;;) {
    const answer = await exchange(call, request)
    call.signal?.throwIfAborted()
    const { status, text, retryAfter, etag } = answer
    if (status === 304 && known) return known
    const isOk = status >= 200 && status < 300
    if (isOk && text !== undefined) {
      const value = parsed(text) as T | undefined
      if (value === undefined) throw new RequestError('NOT_JSON', `GET ${url}: it is no JSON`)
      if (etag !== undefined) return { value, etag }
      throw new MissingTagError(
        'MISSING_TAG', `GET ${url}: no ETag. Guard its route, let CORS expose it`
      )
    }
    const error = errorOf(request, isOk ? { status: 0 } : answer)
    if ((status >= 300 && status < 500 && status !== 429) || !tries.left(retryAfter)) throw error
    await tries.next(retryAfter)
  }
}

/** Reads, and gives undefined where there is nothing. */
export async function readIfThere<T> (call: Call, url: string, tries: Attempts): Promise<Current<T> | undefined> {
  try {
    return await read<T>(call, url, tries)
  } catch (error) {
    if (error instanceof RequestError && (error.status === 404 || error.status === 410)) return undefined
    throw error
  }
}
