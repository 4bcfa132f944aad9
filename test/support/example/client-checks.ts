import type { Test } from 'tap'
import { OFFER, offersUrl, TYPE } from './app.js'
import { clientOf, poll, type Client } from './client.js'

const URL = offersUrl('/tide-db')
const ANY = { 'if-match': '*' }

async function put (request: Client, headers: Record<string, string>, document: unknown = OFFER): Promise<number> {
  return (await request('PUT', URL, headers, document)).status
}

async function read (request: Client, path: string): Promise<any> {
  return await (await request('GET', path)).json()
}

/** POSTs as the known clients do, but with If-Match, and resolves to the address of the operation. */
async function start (t: Test, request: Client, action: string): Promise<string> {
  const response = await request('POST', offersUrl(`/tide-db/${action}`), ANY)
  t.equal(response.status, 202, action)
  t.ok(response.headers.get('etag'))
  return response.headers.get('location')!
}

async function untilSignOff (request: Client, location: string): Promise<void> {
  await poll(async () => await read(request, location), ({ steps }) => steps[4].status === 'waitingForPublisherReview')
}

type Check = (t: Test, request: Client) => Promise<void>

/** What the known clients do with the API. Each check is run for a publisher who has no offers yet. */
export const CLIENT_CHECKS: Readonly<Record<string, Check>> = {
  'GET, edit, PUT with its tag: 200 and a new tag; the same tag again: 412': async (t, request) => {
    t.equal(await put(request, ANY), 201)
    const got = await request('GET', URL)
    const etag = got.headers.get('etag')!
    const document = { ...((await got.json()) as object), definition: { displayText: 'Tide DB 2' } }
    const saved = await request('PUT', URL, { 'if-match': etag }, document)
    t.equal(saved.status, 200)
    t.match(saved.headers.get('etag'), /^"[^"]+"$/)
    t.not(saved.headers.get('etag'), etag)
    t.equal(await put(request, { 'if-match': etag }, document), 412)
  },

  'PUT with * after another client wrote: 200': async (t, request) => {
    await put(request, ANY)
    const mine = await read(request, URL)
    await put(request, ANY, { ...OFFER, definition: { displayText: 'theirs' } })
    t.equal(await put(request, ANY, mine), 200)
    t.strictSame((await read(request, URL)).definition, OFFER.definition)
  },

  'no If-Match 400, unknown api-version 400 InvalidAPIVersion, no token 401': async (t, request) => {
    t.equal(await put(request, {}), 400)
    t.equal((await request('GET', URL)).status, 404, 'nothing was written')
    const version = await request('GET', offersUrl('/tide-db', 'api-version=1999-01-01'))
    t.equal(version.status, 400)
    t.match(await version.json(), { error: { code: 'InvalidAPIVersion', message: /\[2017-10-31\]$/ } })
    t.equal((await request('GET', URL, { authorization: '' })).status, 401)
  },

  'publish, follow the location to the sign-off, golive, follow that to the end': async (t, request) => {
    await put(request, ANY)
    await untilSignOff(request, await start(t, request, 'publish'))
    t.strictSame((await read(request, offersUrl('/tide-db/slot/preview'))).definition, OFFER.definition)
    const location = await start(t, request, 'golive')
    const { steps } = await poll(async () => await read(request, location), ({ status }) => status === 'complete')
    t.strictSame(
      steps.map(({ status, progressPercentage }: Record<string, unknown>) => `${status} ${progressPercentage}`),
      Array(6).fill('complete 100')
    )
    const { changedTime, publisherId, ...offer } = await read(request, offersUrl('/tide-db/slot/production'))
    t.strictSame(offer, { ...OFFER, id: 'tide-db', status: 'succeeded', version: 1 })
  },

  'publish, cancel, poll submissions until the first is canceled, publish again': async (t, request) => {
    await put(request, ANY)
    for (const count of [1, 2]) {
      await start(t, request, 'publish')
      await start(t, request, 'cancel')
      const submissions = await poll(
        async () => await read(request, offersUrl('/tide-db/submissions/')),
        ([newest]) => newest.submissionState === 'canceled'
      )
      t.equal(submissions.length, count)
    }
    await untilSignOff(request, await start(t, request, 'publish'))
  },

  'slot preview before any publish 404; an empty list is []; the list with the known filter': async (t, request) => {
    const empty = await request('GET', offersUrl('/'))
    t.strictSame([empty.status, await empty.text()], [200, '[]'])
    await put(request, ANY)
    t.equal((await request('GET', offersUrl('/tide-db/slot/preview'))).status, 404)
    const other = await request('PUT', offersUrl('/other'), ANY, { offerTypeId: 'microsoft-azure-corevm' })
    t.equal(other.status, 201)
    const filtered = await read(request, offersUrl('', `api-version=2017-10-31&$filter=offerTypeId eq '${TYPE}'`))
    t.strictSame(filtered.map(({ id }: { id: string }) => id), ['tide-db'])
  },

  'two PUTs with one tag at the same time: one 200, one 412': async (t, request) => {
    let etag = (await request('PUT', URL, ANY, OFFER)).headers.get('etag')!
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(
        ['one', 'two'].map(async (note) => await request('PUT', URL, { 'if-match': etag }, { ...OFFER, note }))
      )
      t.strictSame(answers.map(({ status }) => status).sort(), [200, 412])
      etag = answers.find(({ status }) => status === 200)!.headers.get('etag')!
      t.equal((await request('GET', URL)).headers.get('etag'), etag)
    }
  }
}

/** Where a check is run, and as whom: a publisher who has no offers yet. */
export interface Place { origin: string, token: string, publisher: string }

/** Runs the checks as subtests, each at a place of its own. */
export async function runClientChecks (t: Test, kind: string, serve: (t: Test) => Promise<Place>): Promise<void> {
  for (const [name, check] of Object.entries(CLIENT_CHECKS)) {
    await t.test(`${name} (${kind})`, async (t) => {
      const { origin, token, publisher } = await serve(t)
      // Known clients send the content type with every request, also without a body. Each request has a connection of
      // its own, so that the next one may reach another process.
      const request = clientOf(origin, {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        connection: 'close'
      })
      await check(
        t,
        async (method, path, ...rest) => await request(method, path.replace('/contoso/', `/${publisher}/`), ...rest)
      )
    })
  }
}
