import { once } from 'node:events'
import t from 'tap'
import { withDraft } from '../../../example/offers/draft.js'
import { codeOf, loggedApp, newApp, OFFER, offersUrl, send, TYPE } from '../../support/example/app.js'
import { answersOf, listeningApp, open } from '../../support/raw-socket.js'
import { newPublisher, TO_SIGN_OFF } from '../../support/example/publisher.js'
import { countingStorage, heldStorage } from '../../support/example/storage.js'

const ANY = { 'if-match': '*' }
const JSON_TYPE = { 'content-type': 'application/json' }
const URL = offersUrl('/tide-db')

type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'OPTIONS'
type Sent = [method: Method, url: string, headers?: Record<string, string | undefined>, payload?: unknown]

/** Documents that publish accepts, and one that the certification rejects. */
const [SOUND, FLAWED] = [{}, { '<1>': { osVhdUrl: 'http://example.org' } }].map((images) => ({
  offerTypeId: TYPE,
  definition: { displayText: 'Tide DB', plans: [{ planId: 'a&b', 'microsoft-azure-virtualmachines.vmImages': images }] }
})) as [object, object]

await t.test('reading 29: an offer id is 1 to 50 lower-case letters, digits and dashes, no dash at the end', async (t) => {
  const app = await newApp(t)
  for (const id of ['a', '0', '-a', 'a-b', 'x'.repeat(50)]) {
    t.equal((await send(app, 'PUT', offersUrl(`/${id}`), ANY, OFFER)).statusCode, 201, id)
  }
  for (const id of ['a-', '-', 'A', 'a_b', 'a.b', 'a%20b', 'a%2Fb', 'ä', 'a%0A', 'x'.repeat(51), 'x'.repeat(5000)]) {
    for (const method of ['GET', 'PUT'] as const) {
      const response = await send(app, method, offersUrl(`/${id}`), ANY, method === 'PUT' ? OFFER : undefined)
      t.equal(response.statusCode, 400, id.slice(0, 60))
      t.equal(codeOf(t, response), 'BadRequest')
    }
    for (const path of ['status', 'submissions', 'versions/1', 'slot/draft', 'operations/x']) {
      t.equal((await send(app, 'GET', offersUrl(`/${id}/${path}`))).statusCode, 400, `${id.slice(0, 60)} ${path}`)
    }
  }
})

await t.test('reading 30: every refusal is an error with a code and a message; accepted versions end theirs in brackets', async (t) => {
  const app = await newApp(t)
  const refusals = [
    await send(app, 'GET', '/nothing'),
    await send(app, 'GET', '/api/publishers/%zz'),
    await send(app, 'GET', offersUrl(), { authorization: undefined }),
    await send(app, 'GET', '/api/publishers/fabrikam/offers?api-version=2017-10-31'),
    await send(app, 'GET', URL),
    await send(app, 'PUT', URL, JSON_TYPE, '{'),
    await send(app, 'PUT', URL, { 'content-type': 'text/plain' }, 'text'),
    await send(app, 'PUT', URL, {}, OFFER),
    await send(app, 'PUT', URL, { 'if-match': '"stale"' }, OFFER)
  ]
  t.strictSame(refusals.map(({ statusCode }) => statusCode), [404, 400, 401, 403, 404, 400, 415, 400, 412])
  for (const refusal of refusals) t.match(codeOf(t, refusal), /^[A-Z][A-Za-z]+$/)
  for (const query of [
    '',
    'api-version=',
    'api-version=2016-08-01-preview',
    'api-version=2017-10-31&api-version=2017-10-31',
    'API-VERSION=2017-10-31'
  ]) {
    const response = await send(app, 'GET', offersUrl('', query))
    t.equal(response.statusCode, 400, query)
    t.match(response.json().error, { code: 'InvalidAPIVersion', message: /\[2017-10-31\]$/ })
  }
  const older = await send(app, 'GET', '/api/offerTypes')
  t.match(older.json().error, { code: 'InvalidAPIVersion', message: /\[2017-10-31, 2016-08-01-preview\]$/ })
})

await t.test('reading 31: a time is in UTC with seven fractional digits, of which the clock knows three', async (t) => {
  const { get, put, act, pass } = await newPublisher(t)
  await put(FLAWED)
  await act('publish')
  pass(TO_SIGN_OFF)
  t.equal((await get('/tide-db')).changedTime, '2031-04-02T09:15:06.9870000Z')
  t.equal((await get('/tide-db/versions/1')).changedTime, '2031-04-02T09:15:06.9870000Z')
  t.equal((await get('/tide-db/submissions'))[0].changedTime, '2031-04-02T09:15:08.9870000Z')
  t.equal((await get('/tide-db/status')).messages[0].timestamp, '2031-04-02T09:15:08.9870000Z')
})

await t.test('reading 32: a list is a bare array of all there is, from all pages of the storage', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const app = await newApp(t, { storage })
  await app.ready()
  t.equal((await send(app, 'GET', offersUrl())).body, '[]')
  for (let index = 0; index < 250; index++) {
    const draft = withDraft(undefined, OFFER, { publisherId: 'contoso', offerId: `o${index}` }, 0)
    await storage.write(`/publishers/contoso/offers/o${index}`, draft, { kind: 'any' })
  }
  calls.length = 0
  const ids = (await send(app, 'GET', offersUrl())).json().map(({ id }: { id: string }) => id)
  t.equal(ids.length, 250)
  t.equal(new Set(ids).size, 250)
  t.ok(calls.length > 1)
})

await t.test('reading 33: a list has all offers of the publisher alone, each with displayText for its definition', async (t) => {
  const app = await newApp(t)
  t.strictSame((await send(app, 'GET', offersUrl())).json(), [])
  const theirs = '/api/publishers/fabrikam/offers/theirs?api-version=2017-10-31'
  await send(app, 'PUT', theirs, { authorization: 'Bearer fabrikam-token', ...ANY }, OFFER)
  await send(app, 'PUT', offersUrl('/b'), ANY, { ...OFFER, note: 'kept' })
  await send(app, 'PUT', offersUrl('/a'), ANY, { offerTypeId: TYPE })
  const response = await send(app, 'GET', offersUrl())
  t.equal(response.statusCode, 200)
  t.equal(response.headers.etag, undefined)
  const common = { offerTypeId: TYPE, publisherId: 'contoso', status: 'neverPublished', version: 0 }
  t.strictSame(response.json().map((offer: object) => ({ ...offer, changedTime: undefined })), [
    { ...common, id: 'a', definition: {}, changedTime: undefined },
    { ...common, id: 'b', definition: { displayText: 'Tide DB' }, note: 'kept', changedTime: undefined }
  ])
})

await t.test('reading 34: the slots are Draft, Preview and Production in any case; another name is 400', async (t) => {
  const { send, put, act, pass } = await newPublisher(t)
  await put()
  await act('publish')
  pass(TO_SIGN_OFF)
  const ask = async (slot: string) => await send('GET', `/tide-db/slot/${slot}`)
  for (const slot of ['Draft', 'draft', 'Preview', 'pReViEw']) t.equal((await ask(slot)).statusCode, 200, slot)
  for (const slot of ['Production', 'PRODUCTION']) t.equal(codeOf(t, await ask(slot)), 'SlotEmpty', slot)
  for (const slot of ['view', 'staging', 'draft%20']) {
    const refused = await ask(slot)
    t.strictSame([refused.statusCode, codeOf(t, refused)], [400, 'BadRequest'], slot)
  }
})

await t.test('reading 35: a failed publication has one message, escaped, at the top and in its step; links are empty', async (t) => {
  const { app, get, put, act, pass } = await newPublisher(t)
  await put(FLAWED)
  const { location } = (await act('publish')).headers
  const operation = async () => (await send(app, 'GET', location as string)).json()
  t.strictSame((await operation()).messages, [])
  pass(TO_SIGN_OFF)
  const message = {
    messageHtml: 'The image &lt;1&gt; of the plan "a&amp;b" cannot be fetched: its osVhdUrl is no https address.',
    level: 'error',
    timestamp: '2031-04-02T09:15:08.9870000Z'
  }
  for (const { messages, steps, previewLinks, liveLinks } of [await operation(), await get('/tide-db/status')]) {
    t.strictSame(messages, [message])
    t.strictSame(steps.map((step: { messages: unknown[] }) => step.messages), [[], [message], [], [], [], []])
    t.strictSame([previewLinks, liveLinks], [[], []])
  }
  await put(SOUND)
  await act('publish')
  pass(TO_SIGN_OFF)
  const { messages, previewLinks, liveLinks } = await get('/tide-db/status')
  t.strictSame([messages, previewLinks, liveLinks], [[], [], []])
  t.strictSame((await operation()).messages, [message])
})

await t.test('reading 36: every answer has an id of its own, and every line of its log has the same', async (t) => {
  const { app, lines, logged } = await loggedApp(t)
  const requests: Array<[number, ...Sent]> = [
    [201, 'PUT', URL, ANY, OFFER],
    [200, 'GET', URL],
    [200, 'HEAD', URL],
    [304, 'GET', URL, { 'if-none-match': '*' }],
    [202, 'POST', offersUrl('/tide-db/publish'), ANY],
    [200, 'GET', '/health'],
    [401, 'GET', URL, { authorization: undefined }],
    [403, 'GET', '/api/publishers/fabrikam/offers?api-version=2017-10-31'],
    [400, 'GET', offersUrl('/tide-db', '')],
    [400, 'PUT', URL, ANY, {}],
    [400, 'PUT', URL, { ...JSON_TYPE, ...ANY }, '{'],
    [400, 'PUT', URL, {}, OFFER],
    [404, 'GET', offersUrl('/other')],
    [404, 'GET', '/nothing'],
    [404, 'OPTIONS', '/nothing'],
    [412, 'PUT', URL, { 'if-match': '"stale"' }, OFFER],
    [413, 'PUT', URL, ANY, { ...OFFER, large: 'x'.repeat(1024 * 1024) }],
    [415, 'PUT', URL, { 'content-type': 'text/plain' }, 'text'],
    [400, 'GET', '/api/publishers/%zz/offers'],
    [414, 'GET', offersUrl(`/${'x'.repeat(16_385)}`)],
    [200, 'GET', URL, { 'request-id': 'mine', 'x-request-id': 'mine', 'x-ms-correlation-request-id': 'mine' }]
  ]
  const ids = new Set<unknown>()
  for (const [status, ...request] of requests) {
    lines.length = 0
    const response = await send(app, ...request)
    const id = response.headers['x-ms-correlation-request-id']
    t.equal(response.statusCode, status, `${request[0]} ${status}`)
    t.match(id, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
    ids.add(id)
    t.strictSame([...new Set(logged().map(({ reqId }) => reqId))], [id], 'in its log')
  }
  t.equal(ids.size, requests.length)
})

await t.test('reading 37: a slash at the end of an address makes no difference, and an empty body is no body', async (t) => {
  const app = await newApp(t)
  app.post('/bodyless', async ({ body }) => ({ hasBody: body !== undefined }))
  t.equal((await send(app, 'PUT', offersUrl('/tide-db/'), ANY, OFFER)).statusCode, 201)
  t.equal((await send(app, 'PUT', URL, ANY, OFFER)).statusCode, 200)
  t.equal((await send(app, 'GET', offersUrl('/tide-db/'))).statusCode, 200)
  t.equal((await send(app, 'GET', offersUrl('/'))).json().length, 1)

  const bodyless = await app.inject({ method: 'POST', url: '/bodyless', headers: JSON_TYPE })
  t.strictSame(bodyless.json(), { hasBody: false })
  t.equal((await send(app, 'GET', offersUrl(), JSON_TYPE)).statusCode, 200)
  t.equal((await send(app, 'POST', offersUrl('/tide-db/publish'), { ...JSON_TYPE, ...ANY })).statusCode, 202)
  t.match((await send(app, 'PUT', URL, { ...JSON_TYPE, ...ANY })).json(), {
    error: { code: 'BadRequest', message: 'body must be object' }
  })
})

await t.test('reading 38: a client may close its side of the connection behind its request, and is answered', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'write')
  const { app } = await listeningApp(t, { storage })
  const accepted = once(app.server, 'connection')
  const body = JSON.stringify(OFFER)
  const socket = await open(t, app)
  const [server] = await accepted
  const halfClosed = once(server, 'end')
  socket.end([
    `PUT ${URL} HTTP/1.1`,
    'Host: localhost',
    'Authorization: Bearer contoso-token',
    'If-Match: *',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body
  ].join('\r\n'))
  await Promise.all([begun, halfClosed])
  release()
  t.match(await answersOf(socket), [{ status: 201 }])
  t.equal((await send(app, 'GET', URL)).statusCode, 200)
})
