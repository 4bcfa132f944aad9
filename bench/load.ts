import autocannon from 'autocannon'
import { document } from './document.js'
import type { Scenario } from './scenarios.js'

const BODY = JSON.stringify(document)

/** How hard the server is pressed. */
export interface Load {
  readonly url: string
  readonly scenario: Scenario
  /** How many requests are under way at once, each to an entity of its own. */
  readonly connections: number
  readonly seconds: number
}

/** Creates the entity of each connection. */
export async function createEntities (url: string, connections: number): Promise<void> {
  for (let id = 0; id < connections; id++) {
    const response = await fetch(`${url}/offers/${id}`, { method: 'PUT', headers: { 'content-type': 'application/json', 'if-match': '*' }, body: BODY })
    if (!response.ok) throw new Error(`PUT of entity ${id}: ${response.status}`)
  }
}

// What the event has really; its types say otherwise.
interface RawAnswer { readonly statusCode: number, readonly headers: readonly string[] }

/**
 * Sends requests, each connection one after the other, and follows the tag of its entity from answer to answer.
 *
 * @returns how many were answered in a second
 * @throws if any answer has another status than that of the scenario
 */
export async function load ({ url, scenario, connections, seconds }: Load): Promise<{ perSecond: number, answered: number }> {
  const tags = await currentTags(url, connections)
  let connection = 0
  let wrong: number | undefined
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    setupClient (client) {
      const id = connection++
      const request = (tag: string): autocannon.Request => ({
        method: scenario.method,
        path: `/offers/${id}`,
        headers: { ...(scenario.method === 'PUT' && { 'content-type': 'application/json' }), ...scenario.precondition(tag) },
        ...(scenario.method === 'PUT' && { body: BODY })
      })
      client.setRequests([request(tags[id]!)])
      client.on('headers', (answer) => {
        const { statusCode, headers } = answer as unknown as RawAnswer
        if (statusCode !== scenario.status) wrong = statusCode
        const tag = tagOf(headers)
        if (tag !== undefined && tag !== tags[id] && scenario.status === 200) {
          tags[id] = tag
          client.setRequests([request(tag)])
        }
      })
    }
  })
  if (wrong !== undefined || result.errors > 0) throw new Error(`${scenario.name}: an answer ${wrong ?? 'was lost'} where all should be ${scenario.status}.`)
  return { perSecond: result.requests.total / result.duration, answered: result.requests.total }
}

// Requests that were under way when a load ended may have been carried out. A server without tags takes `*`.
async function currentTags (url: string, connections: number): Promise<string[]> {
  const ids = Array.from({ length: connections }, (_, id) => id)
  return await Promise.all(ids.map(async (id) => {
    const response = await fetch(`${url}/offers/${id}`)
    await response.arrayBuffer()
    return response.headers.get('etag') ?? '*'
  }))
}

// Of raw headers: name, value, name, value.
function tagOf (headers: readonly string[]): string | undefined {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]!.toLowerCase() === 'etag') return headers[at + 1]
  }
  return undefined
}
