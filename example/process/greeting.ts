import { API_VERSIONS } from '../app/api-version.js'
import { includesDevelopmentToken } from '../app/tokens.js'
import { withoutSecrets } from '../storage/address.js'
import type { Settings } from './settings.js'

const OFFER = {
  offerTypeId: 'microsoft-azure-virtualmachines',
  definition: { displayText: 'Tide DB', plans: [{ planId: 'small' }] }
}

/**
 * What a start prints: where the server listens, where its page is, where it stores, where its metrics are, and a line
 * to paste that creates an offer.
 */
export function greeting (url: string, settings: Settings, metrics?: string): string {
  const storage = withoutSecrets(settings.storage)
  const caveat = settings.storage === 'memory:' ? ' (what it holds ends with this process)' : ''
  return [
    `The offers API listens at ${url}`,
    `The offer desk, a page for people: ${url}/`,
    `All routes, to try them on: ${url}/docs`,
    `Storage: ${storage}${caveat}`,
    ...(settings.workers > 1 ? [`Worker processes: ${settings.workers}`] : []),
    ...(metrics !== undefined ? [`Metrics: ${metrics}`] : []),
    `Try: ${curlLine(url, settings)}`,
    ''
  ].join('\n')
}

function curlLine (url: string, { tokens }: Settings): string {
  const first = tokens[0]!
  const [publisher] = first.roles.keys()
  const address = `${url}/api/publishers/${publisher}/offers/tide-db?api-version=${API_VERSIONS[0]}`
  // A token of the operator's own is a secret: the line takes it from the reader's shell.
  const token = includesDevelopmentToken([first]) ? first.secret : '$TOKEN'
  return `curl -i -X PUT '${address}' -H "Authorization: Bearer ${token}" -H 'If-Match: *' ` +
    `-H 'Content-Type: application/json' -d '${JSON.stringify(OFFER)}'`
}
