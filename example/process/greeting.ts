import { API_VERSIONS } from '../app/api-version.js'
import type { Settings } from './settings.js'
import { withoutSecrets } from '../storage/address.js'
import { includesDevelopmentToken } from '../app/tokens.js'

const OFFER = {
  offerTypeId: 'microsoft-azure-virtualmachines',
  definition: { displayText: 'Tide DB', plans: [{ planId: 'small' }] }
}

/** What a start says: where the server is, what it keeps, and a line to paste that creates an offer. */
export function greeting (url: string, settings: Settings): string {
  return [
    `The offers API listens at ${url}`,
    `Storage: ${withoutSecrets(settings.storage)}${settings.storage === 'memory:' ? ' (what it holds ends with this process)' : ''}`,
    ...(settings.workers > 1 ? [`Worker processes: ${settings.workers}`] : []),
    `Try: ${curlLine(url, settings)}`,
    ''
  ].join('\n')
}

function curlLine (url: string, { tokens }: Settings): string {
  const first = tokens[0]!
  const [publisher] = first.roles.keys()
  // A token of the operator's own is a secret: the line takes it from the reader's shell.
  const token = includesDevelopmentToken([first]) ? first.secret : '$TOKEN'
  return (
    `curl -i -X PUT '${url}/api/publishers/${publisher}/offers/tide-db?api-version=${API_VERSIONS[0]}' ` +
    `-H "Authorization: Bearer ${token}" -H 'If-Match: *' -H 'Content-Type: application/json' -d '${JSON.stringify(OFFER)}'`
  )
}
