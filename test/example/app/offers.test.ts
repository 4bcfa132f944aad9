import t from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { buildApp } from '../../../example/app/index.js'
import { parseTokens } from '../../../example/app/tokens.js'
import { codeOf, newApp, OFFER, offersUrl, send, TYPE } from '../../support/example/app.js'
import { countingStorage, meetingStorage } from '../../support/example/storage.js'

const URL = offersUrl('/tide-db')
const JSON_HEADERS = { 'if-match': '*', 'content-type': 'application/json' }
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/

await t.test('PUT with If-Match: * creates the offer, and then overwrites it; each answer has the offer and a new tag', async (t) => {
  const app = await newApp(t)
  const created = await send(app, 'PUT', URL, { 'if-match': '*' }, OFFER)
  t.equal(created.statusCode, 201)
  const { changedTime, ...offer } = created.json()
  t.strictSame(offer, { ...OFFER, id: 'tide-db', publisherId: 'contoso', status: 'neverPublished', version: 0 })
  t.match(changedTime, TIME)
  t.match(created.headers.etag, /^"[\w.-]+"$/)
  const replaced = await send(app, 'PUT', URL, { 'if-match': '*' }, OFFER)
  t.equal(replaced.statusCode, 200)
  t.not(replaced.headers.etag, created.headers.etag)
  t.ok(replaced.json().changedTime >= changedTime)
})

await t.test('PUT with a tag: 200 once, then 412 with the current tag; 412 for an offer that does not exist', async (t) => {
  const app = await newApp(t)
  const { etag } = (await send(app, 'PUT', URL, { 'if-match': '*' }, OFFER)).headers
  const next = await send(app, 'PUT', URL, { 'if-match': etag as string }, OFFER)
  t.equal(next.statusCode, 200)
  const stale = await send(app, 'PUT', URL, { 'if-match': etag as string }, OFFER)
  t.equal(stale.statusCode, 412)
  t.equal(stale.headers.etag, next.headers.etag)
  t.equal((await send(app, 'PUT', offersUrl('/other'), { 'if-match': etag as string }, OFFER)).statusCode, 412)
})

await t.test('GET: the offer and its tag; 304 for the same tag; HEAD likewise', async (t) => {
  const app = await newApp(t)
  const put = await send(app, 'PUT', URL, { 'if-match': '*' }, OFFER)
  const got = await send(app, 'GET', URL)
  t.equal(got.statusCode, 200)
  t.equal(got.body, put.body)
  t.equal(got.headers.etag, put.headers.etag)
  t.equal((await send(app, 'GET', URL, { 'if-none-match': got.headers.etag as string })).statusCode, 304)
  const head = await send(app, 'HEAD', URL)
  t.strictSame([head.statusCode, head.headers.etag, head.body], [200, got.headers.etag, ''])
})

await t.test('a document as the offers API gives it comes back with nothing changed but its time', async (t) => {
  const app = await newApp(t, { tokens: parseTokens('heron-token=heron-works:owner') })
  const authorization = 'Bearer heron-token'
  const url = '/api/publishers/heron-works/offers/tide-db?api-version=2017-10-31'
  const document = {
    offerTypeId: TYPE,
    publisherId: 'heron-works',
    status: 'neverPublished',
    id: 'tide-db',
    version: 0,
    definition: {
      displayText: 'Tide DB',
      offer: { 'microsoft-azure-marketplace.title': 'Tide DB' },
      plans: [{ planId: 'small', regions: ['FI'] }]
    },
    changedTime: '2031-04-02T09:15:06.9876543Z'
  }
  t.equal((await send(app, 'PUT', url, { authorization, 'if-match': '*' }, document)).statusCode, 201)
  const { changedTime, ...got } = (await send(app, 'GET', url, { authorization })).json()
  t.not(changedTime, document.changedTime)
  t.strictSame({ ...got, changedTime: document.changedTime }, document)
})

await t.test('PUT replaces the whole document', async (t) => {
  const app = await newApp(t)
  await send(app, 'PUT', URL, { 'if-match': '*' }, { ...OFFER, note: 'first' })
  await send(app, 'PUT', URL, { 'if-match': '*' }, { offerTypeId: TYPE })
  const names = Object.keys((await send(app, 'GET', URL)).json())
  t.strictSame(names.sort(), ['changedTime', 'id', 'offerTypeId', 'publisherId', 'status', 'version'])
})

await t.test('a document that contradicts its address, its type, or the schema: 400, and nothing is stored', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const app = await newApp(t, { storage })
  const wrong: unknown[] = [
    [],
    'text',
    null,
    {},
    { offerTypeId: '' },
    { offerTypeId: 5 },
    { ...OFFER, id: 'other' },
    { ...OFFER, id: 5 },
    { ...OFFER, publisherId: 'fabrikam' },
    { ...OFFER, offerTypeVersions: { a: '1' } },
    { ...OFFER, definition: null },
    { ...OFFER, definition: { displayText: 5 } },
    { ...OFFER, definition: { offer: [] } },
    { ...OFFER, definition: { plans: {} } },
    { ...OFFER, definition: { plans: [{}] } }
  ]
  for (const document of wrong) {
    const response = await send(app, 'PUT', URL, JSON_HEADERS, JSON.stringify(document))
    t.equal(response.statusCode, 400, JSON.stringify(document))
    t.equal(codeOf(t, response), 'BadRequest')
  }
  t.strictSame(calls, [])
})

await t.test('offerTypeId is fixed when the offer is created', async (t) => {
  const app = await newApp(t)
  const { etag } = (await send(app, 'PUT', URL, { 'if-match': '*' }, OFFER)).headers
  for (const ifMatch of ['*', etag as string]) {
    const response = await send(app, 'PUT', URL, { 'if-match': ifMatch }, { ...OFFER, offerTypeId: 'another' })
    t.equal(response.statusCode, 400)
    t.match(response.json().error, { code: 'BadRequest', message: /offerTypeId/ })
  }
  t.equal((await send(app, 'GET', URL)).headers.etag, etag)
})

await t.test('two first PUTs with * at once: one creates, the other overwrites it, and neither is lost', async (t) => {
  const { storage, meet } = await meetingStorage(t)
  const app = await newApp(t, { storage })
  meet(2)
  const answers = await Promise.all(
    ['one', 'two'].map(async (note) => await send(app, 'PUT', URL, { 'if-match': '*' }, { ...OFFER, note }))
  )
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [200, 201])
  const last = answers.find(({ statusCode }) => statusCode === 200)!
  t.equal((await send(app, 'GET', URL)).headers.etag, last.headers.etag)
})

await t.test('two first PUTs with * at once and different types: the type is fixed by the PUT that creates', async (t) => {
  const { storage, meet } = await meetingStorage(t)
  const app = await newApp(t, { storage })
  meet(2)
  const answers = await Promise.all(
    ['one', 'two'].map(async (offerTypeId) => await send(app, 'PUT', URL, { 'if-match': '*' }, { offerTypeId }))
  )
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [201, 400])
})

await t.test('a storage that cannot list is refused while the app boots', async (t) => {
  const { read, write, remove } = memoryAdapter()
  const storage: StorageAdapter = { read, write, remove }
  await t.rejects(buildApp({ storage, tokens: [] }), { message: /list/ })
})
