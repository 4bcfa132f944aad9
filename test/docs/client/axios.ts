import type { AxiosInstance } from 'axios'
import type { Fetch } from 'fastify-if-match/client'

/** Lets the client send through axios: `createClient({ fetch: axiosFetch(instance) })`. */
export function axiosFetch (instance: AxiosInstance): Fetch {
  return async (url, { method, headers, body, signal, redirect }) => {
    const answer = await instance.request<string>({
      url,
      method,
      ...redirect === 'manual' && { maxRedirects: 0 },    // in browsers, axios follows them all the same
      headers: Object.fromEntries(headers),
      ...body !== undefined && { data: body },
      signal,
      responseType: 'text',
      transformRequest: [],                               // the body is JSON already
      transformResponse: [],                              // and the client parses the answer
      validateStatus: () => true
    })
    const isEmpty = [204, 205, 304].includes(answer.status)
    const told = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)])
    return new Response(isEmpty ? null : answer.data, { status: answer.status, headers: told })
  }
}
