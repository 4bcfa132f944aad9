import t, { type Test } from 'tap'
import { createClient, OutcomeUnknownError, type UpdateOptions } from 'fastify-if-match/client'
import { listening, start } from '../../support/example/server-process.js'
import { startProxy } from '../../support/services/proxy.js'
import { fileOf } from '../../support/sqlite/handles.js'

const CLIENTS = 32
// How many changes each client makes.
const CHANGES = Number(process.env['CLIENT_CHANGES'] ?? 50)
const EVERY = 10

interface Offer { offerTypeId: string, definition: { entries: string[], count: number } }

/** An offer of the reference server: behind a proxy that drops the answer of every tenth write, and as it is stored. */
async function offerBehindProxy (t: Test) {
  const port = await listening(start(t, { STORAGE: `sqlite:${fileOf(t)}` }))
  const direct = `http://127.0.0.1:${port}`
  const proxy = await startProxy(t, direct)
  const path = '/api/publishers/contoso/offers/tide?api-version=2017-10-31'
  const client = createClient({ headers: { authorization: 'Bearer dev-contoso' }, retries: 1000, maxDelay: 300 })
  await client.create<Offer>(direct + path, { offerTypeId: 'x', definition: { entries: [], count: 0 } })
  let writes = 0
  proxy.cutAnswer({ when: (request) => request.subarray(0, 4).equals(PUT) && ++writes % EVERY === 0, times: Infinity })
  const stored = async () => (await client.read<Offer>(direct + path)).value.definition
  return { client, url: proxy.url + path, stored, cut: () => Math.floor(writes / EVERY) }
}

const PUT = Buffer.from('PUT ')

/** All clients at once, each of which makes its changes one after the other. Gives what each change was told. */
async function changes (clients: number, changesEach: number, make: (change: string) => Promise<unknown>) {
  const acknowledged: string[] = []
  const unknown: string[] = []
  await Promise.all(Array.from({ length: clients }, async (_, client) => {
    for (let count = 0; count < changesEach; count++) {
      const change = `${client}-${count}`
      try {
        await make(change)
        acknowledged.push(change)
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError)) throw error
        unknown.push(change)
      }
    }
  }))
  return { acknowledged, unknown }
}

const ADDING: Array<[title: string, options: (entry: string) => UpdateOptions<Offer>]> = [
  ['with isApplied, which looks for the entry', (entry) => ({
    isApplied: ({ definition }) => definition.entries.includes(entry)
  })],
  ['without isApplied', () => ({})],
  ['without isApplied, but with a key for each change', () => ({ idempotencyKey: () => crypto.randomUUID() })]
]

for (const [title, options] of ADDING) {
  await t.test(`${CLIENTS} clients add ${CHANGES} entries each ${title}, while every tenth answer to a write is dropped: none is there twice, every acknowledged one is there, and the others were unknown`, async (t) => {
    const { client, url, stored, cut } = await offerBehindProxy(t)
    const { acknowledged, unknown } = await changes(CLIENTS, CHANGES, async (entry) => {
      await client.update<Offer>(url, ({ definition }) => { definition.entries.push(entry) }, options(entry))
    })
    const { entries } = await stored()
    t.equal(new Set(entries).size, entries.length, 'none is there twice')
    t.strictSame(acknowledged.filter((entry) => !entries.includes(entry)), [], 'every acknowledged one is there')
    const known = new Set([...acknowledged, ...unknown])
    t.strictSame(entries.filter((entry) => !known.has(entry)), [], 'the others were unknown')
    t.equal(acknowledged.length + unknown.length, CLIENTS * CHANGES)
    // A key tells of what was applied. Of a lost 412 nothing remains, and others have written since.
    t.equal(unknown.length > 0, title.startsWith('without'), `${unknown.length} unknown`)
    t.ok(cut() >= CLIENTS * CHANGES / EVERY, `${cut()} answers dropped`)
    const applied = unknown.filter((entry) => entries.includes(entry))
    t.comment(`${acknowledged.length} acknowledged, ${unknown.length} unknown, of which ${applied.length} are there, ` +
      `${cut()} answers dropped`)
  })
}

// Few clients without pauses often find the very value that they sent, written by another one: that is no proof.
for (const [clients, changesEach, maxDelay] of [[CLIENTS, CHANGES, 300], [4, 4 * CHANGES, 0]] as const) {
  await t.test(`${clients} clients raise a bare counter ${changesEach} times each, with pauses of up to ${maxDelay} ms, while every tenth answer to a write is dropped: it ends between the acknowledged and the acknowledged and unknown ones`, async (t) => {
    const { client, url, stored, cut } = await offerBehindProxy(t)
    const { acknowledged, unknown } = await changes(clients, changesEach, async () => {
      await client.update<Offer>(url, ({ definition }) => { definition.count++ }, { maxDelay })
    })
    const { count } = await stored()
    t.ok(acknowledged.length <= count, `${acknowledged.length} acknowledged, and it is ${count}`)
    t.ok(count <= acknowledged.length + unknown.length, `${unknown.length} unknown, and it is ${count}`)
    t.ok(unknown.length > 0)
    t.comment(`${count}: ${acknowledged.length} acknowledged, ${unknown.length} unknown, ${cut()} answers dropped`)
  })
}
