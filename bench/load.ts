import autocannon from 'autocannon'
import { setTimeout as delay } from 'node:timers/promises'
import { document } from './document.js'
import type { Scenario } from './scenarios.js'

const BODY = JSON.stringify(document)

/** How hard the server is pressed. */
export interface Load {
  readonly url: string
  readonly scenario: Scenario
  /** How many requests are under way at once, each to an entity of its own unless the scenario says otherwise. */
  readonly connections: number
  readonly seconds: number
  /** Whether the entities have tags. A side that should have and has not is no measurement. */
  readonly hasTags: boolean
}

/** Creates the entity of each connection. */
export async function createEntities (url: string, connections: number): Promise<void> {
  for (let id = 0; id < connections; id++) {
    const response = await fetch(`${url}/offers/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': '*' },
      body: BODY
    })
    if (!response.ok) throw new Error(`PUT of entity ${id}: ${response.status}`)
  }
}

/**
 * Sends requests, each connection one after the other.
 *
 * @returns how many were answered in a second, and at all
 * @throws if any answer has another status than that of the scenario
 */
export async function load ({
  url,
  scenario,
  connections,
  seconds,
  hasTags
}: Load): Promise<{ perSecond: number, answered: number }> {
  const tags = await settledTags(url, connections, hasTags)
  let id = 0
  const { statusCodeStats, requests, errors, duration } = await autocannon({
    url,
    connections,
    duration: seconds,
    setupClient (client) {
      prepare(client, scenario, id, tags[id++]!)
    }
  })
  const wrong = Object.keys(statusCodeStats!).find((status) => status !== String(scenario.status))
  if (wrong !== undefined || errors > 0 || requests.total === 0) {
    throw new Error(`${scenario.name}: ${wrong ?? 'no'} answer where all should be ${scenario.status}.`)
  }
  await currentTags(url, connections, hasTags)
  return { perSecond: requests.total / duration, answered: requests.total }
}

// The client is as quick as the server, so it looks at headers only where the tag of an answer goes into the next
// request.
function prepare (client: autocannon.Client, scenario: Scenario, id: number, tag: string): void {
  const isWrite = scenario.method === 'PUT'
  const send = (tag: string): void => {
    client.setRequests([{
      method: scenario.method,
      path: `/offers/${scenario.isShared ? 0 : id}`,
      headers: { ...(isWrite && { 'content-type': 'application/json' }), ...scenario.precondition(tag) },
      ...(isWrite && { body: BODY })
    }])
  }
  send(tag)
  if (!scenario.changesTag || tag === '*') return
  client.on('headers', (answer) => {
    const next = tagOf((answer as unknown as RawAnswer).headers)
    if (next !== undefined) send(next)
  })
}

// The load before this one left requests behind: a server may still be at work on them, and the tags would move.
async function settledTags (url: string, connections: number, hasTags: boolean): Promise<string[]> {
  let tags = await currentTags(url, connections, hasTags)
  for (let look = 0; look < 20; look++) {
    const before = tags
    await delay(50)
    tags = await currentTags(url, connections, hasTags)
    if (tags.join() === before.join()) break
  }
  return tags
}

// Requests that were under way when a load ended may have been carried out. A server without tags takes `*`. Whatever
// was done to the entities, each is still the document: a server that forgets it is no measurement either.
async function currentTags (url: string, connections: number, hasTags: boolean): Promise<string[]> {
  const ids = Array.from({ length: connections }, (_, id) => id)
  return await Promise.all(ids.map(async (id) => {
    const response = await fetch(`${url}/offers/${id}`)
    if ((await response.text()) !== BODY) {
      throw new Error(`GET of entity ${id}: ${response.status}, and not the document.`)
    }
    const tag = response.headers.get('etag')
    if ((tag !== null) !== hasTags) throw new Error(`GET of entity ${id}: ${hasTags ? 'no tag' : 'a tag'}.`)
    return tag ?? '*'
  }))
}

// What the event has really, whatever its types say: name, value, name, value.
interface RawAnswer { readonly headers: readonly string[] }

function tagOf (headers: readonly string[]): string | undefined {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]!.toLowerCase() === 'etag') return headers[at + 1]
  }
  return undefined
}
