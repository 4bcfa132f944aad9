import {
  ConflictError, createClient, OutcomeUnknownError, RequestError, sameJson, type IsApplied
} from '../../../lib/client/index.js'

// It runs in browsers, Node.js, Bun and Deno alike, so it uses nothing but the client and what all of these have.

interface Offer { offerTypeId: string, definition: { displayText: string, plans: Array<{ planId: string }> } }

const offer = (displayText: string): Offer =>
  ({ offerTypeId: 'microsoft-azure-virtualmachines', definition: { displayText, plans: [] } })

/** The server adds fields of its own: what the client sent is in `definition`. */
const hasDefinition: IsApplied<Offer> = (current, sent) => sameJson(current.definition, sent.definition) || undefined

/** What came of a call, as a text that is the same on every runtime. */
async function told (call: Promise<unknown>): Promise<string> {
  try {
    const { outcome, value } = await call as { outcome?: string, value?: Offer }
    return [outcome ?? 'read', value?.definition.displayText].join(' ').trim()
  } catch (error) {
    if (error instanceof OutcomeUnknownError) return `unknown: ${error.seen}, ${error.status ?? 'no answer'}`
    if (error instanceof ConflictError) {
      const current = error.current as { value: Offer } | undefined
      return `conflict ${error.status} with ${current?.value.definition.displayText}`
    }
    return error instanceof RequestError ? `failed: ${error.code}` : `rejected: ${String(error)}`
  }
}

/**
 * Calls each method of the client on the server of `support/client/runtime-server.ts`.
 *
 * @param url the address of an offer that is not there
 * @returns what came of each call
 */
export async function scenario (url: string): Promise<string[]> {
  const client = createClient({ headers: async () => ({ authorization: 'Bearer dev-contoso' }), maxDelay: 0 })
  const lines: string[] = []
  const tell = async (what: string, call: Promise<unknown>): Promise<void> => {
    lines.push(`${what}: ${await told(call)}`)
  }
  const happening = (what: 'lost' | 'held' | 'redirected') => ({ headers: { 'x-happening': what } })

  await tell('read, not there', client.read(url))
  await tell('create', client.create<Offer>(url, offer('one')))
  await tell('create again', client.create<Offer>(url, offer('another')))
  const first = await client.read<Offer>(url)
  lines.push(`read with what is known: ${await client.read(url, { known: first }) === first ? 'the same' : 'another'}`)
  await tell('write', client.write<Offer>(url, offer('two'), { etag: first.etag }))
  await tell('write under a stale tag', client.write<Offer>(url, offer('three'), { etag: first.etag }))
  await tell('overwrite', client.write<Offer>(url, offer('four'), { overwrite: true }))
  await tell('update', client.update<Offer>(url, ({ definition }) => { definition.displayText = 'five' }))

  const addPlan = ({ definition }: Offer): void => { definition.plans.push({ planId: 'small' }) }
  await tell('update, answer lost', client.update<Offer>(url, addPlan, {
    ...happening('lost'), isApplied: ({ definition }) => definition.plans.some(({ planId }) => planId === 'small')
  }))
  const { value, etag } = await client.read<Offer>(url)
  lines.push(`applied: ${value.definition.plans.length} times`)
  const recognised = { ...happening('lost'), isApplied: hasDefinition }
  await tell('write, answer lost', client.write<Offer>(url, offer('six'), { etag, ...recognised }))
  await tell('write, answer lost, not to be recognised', client.write<Offer>(url, offer('seven'), {
    overwrite: true, ...happening('lost')
  }))

  const last = await client.read<Offer>(url)
  const under = { etag: last.etag }
  await tell('write, redirected', client.write<Offer>(url, offer('eight'), { ...under, ...happening('redirected') }))
  const hasty = { ...happening('held'), timeout: 100, retries: 0 }
  await tell('read, no answer in time', client.read(url, hasty))
  const controller = new AbortController()
  setTimeout(() => { controller.abort(new Error('enough')) }, 100)
  await tell('read, aborted', client.read(url, { ...happening('held'), signal: controller.signal }))

  await tell('remove under a stale tag', client.remove(url, { etag: first.etag }))
  await tell('remove', client.remove(url, under))
  await tell('read, removed', client.read(url))
  return lines
}

/** What it gives. */
export const EXPECTED = [
  'read, not there: failed: OfferNotFound',
  'create: confirmed one',
  'create again: conflict 412 with one',
  'read with what is known: the same',
  'write: confirmed two',
  'write under a stale tag: conflict 412 with two',
  'overwrite: confirmed four',
  'update: confirmed five',
  'update, answer lost: found five',
  'applied: 1 times',
  'write, answer lost: found six',
  'write, answer lost, not to be recognised: unknown: changed, no answer',
  'write, redirected: unknown: base, 303',
  'read, no answer in time: failed: NO_ANSWER',
  'read, aborted: rejected: Error: enough',
  'remove under a stale tag: conflict 412 with seven',
  'remove: confirmed',
  'read, removed: failed: OfferNotFound'
]
