import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { AppOptions } from '../../example/app.js'
import { meetingMemory, newApp, OFFER, offersUrl } from '../helper/example-app.js'

// What the known clients of the offers API do (CPP §11), over a real connection.

async function client (t: Test, options: Partial<AppOptions> = {}) {
  const app = await newApp(t, options)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  // They send the content type with every request, one without a body too.
  const always = { authorization: 'Bearer contoso-token', 'content-type': 'application/json' }
  return async (method: 'GET' | 'PUT', url: string, headers: Record<string, string> = {}, document?: unknown) =>
    await fetch(origin + url, { method, headers: { ...always, ...headers }, ...(document !== undefined && { body: JSON.stringify(document) }) })
}

const URL = offersUrl('/tide-db')

await t.test('check 1: GET, edit, PUT with its tag: 200 and a new tag; the same tag again: 412', async (t) => {
  const request = await client(t)
  t.equal((await request('PUT', URL, { 'if-match': '*' }, OFFER)).status, 201)
  const got = await request('GET', URL)
  const etag = got.headers.get('etag')!
  const document = await got.json() as Record<string, unknown>
  document.definition = { displayText: 'Tide DB 2' }
  const put = await request('PUT', URL, { 'if-match': etag }, document)
  t.equal(put.status, 200)
  t.ok(put.headers.get('etag'))
  t.not(put.headers.get('etag'), etag)
  t.equal((await request('PUT', URL, { 'if-match': etag }, document)).status, 412)
})

await t.test('check 2: PUT with * after someone else wrote: 200', async (t) => {
  const request = await client(t)
  await request('PUT', URL, { 'if-match': '*' }, OFFER)
  const mine = await (await request('GET', URL)).json()
  await request('PUT', URL, { 'if-match': '*' }, { ...OFFER, definition: { displayText: 'theirs' } })
  t.equal((await request('PUT', URL, { 'if-match': '*' }, mine)).status, 200)
  t.match(await (await request('GET', URL)).json(), { definition: OFFER.definition })
})

await t.test('check 3: no If-Match 400, unknown api-version 400 InvalidAPIVersion, no token 401', async (t) => {
  const request = await client(t)
  t.equal((await request('PUT', URL, {}, OFFER)).status, 400)
  t.equal((await request('GET', URL)).status, 404)
  const version = await request('GET', offersUrl('/tide-db', 'api-version=1999-01-01'))
  t.equal(version.status, 400)
  t.match(await version.json(), { error: { code: 'InvalidAPIVersion' } })
  t.equal((await request('GET', URL, { authorization: '' })).status, 401)
})

await t.test('check 6: the list of a publisher without offers is []', async (t) => {
  const request = await client(t)
  const response = await request('GET', offersUrl('/'))
  t.equal(response.status, 200)
  t.equal(await response.text(), '[]')
})

await t.test('check 7: two PUTs with one tag at the same time: one 200, one 412', async (t) => {
  const { storage, meet } = meetingMemory()
  const request = await client(t, { storage })
  const etag = (await request('PUT', URL, { 'if-match': '*' }, OFFER)).headers.get('etag')!
  meet(2)
  const answers = await Promise.all(['one', 'two'].map(async (note) => await request('PUT', URL, { 'if-match': etag }, { ...OFFER, note })))
  t.strictSame(answers.map(({ status }) => status).sort(), [200, 412])
})
