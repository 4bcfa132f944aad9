import t from 'tap'
import { codeOf, OFFER, send as request } from '../../support/example/app.js'
import { meetingStorage } from '../../support/example/storage.js'
import { newPublisher, TO_SIGN_OFF } from '../../support/example/publisher.js'

const TOKEN = 'Bearer contoso-token'
const ACTIONS = ['publish', 'golive', 'cancel'] as const

await t.test('reading 1: PUT, publish, golive and cancel need If-Match; ACTIONS_IF_MATCH=optional frees the last three', async (t) => {
  const strict = await newPublisher(t)
  const etag = await strict.put()
  const actions = await Promise.all(ACTIONS.map(async (action) => await strict.act(action, {})))
  for (const refused of [await strict.send('PUT', '/tide-db', {}, OFFER), ...actions]) {
    t.strictSame([refused.statusCode, codeOf(t, refused)], [400, 'MissingIfMatch'])
  }
  t.equal((await strict.send('GET', '/tide-db')).headers.etag, etag)

  const lax = await newPublisher(t, { actionsIfMatch: 'optional' })
  await lax.put()
  t.equal((await lax.send('PUT', '/tide-db', {}, OFFER)).statusCode, 400)
  t.equal((await lax.act('publish', {})).statusCode, 202)
  lax.pass(TO_SIGN_OFF)
  t.equal((await lax.act('golive', {})).statusCode, 202)
  t.equal((await lax.act('cancel', {})).statusCode, 202)
  // A header that is sent is honoured all the same.
  t.equal((await lax.act('publish', { 'if-match': etag })).statusCode, 412)
  t.equal((await lax.act('publish', { 'if-match': 'unquoted' })).statusCode, 400)
})

await t.test('reading 2: * creates too, If-None-Match: * creates only, and neither is 400 also where an offer exists', async (t) => {
  const { send } = await newPublisher(t)
  const put = async (path: string, headers: Record<string, string>) =>
    (await send('PUT', path, headers, OFFER)).statusCode
  t.strictSame([await put('/a', { 'if-match': '*' }), await put('/a', { 'if-match': '*' })], [201, 200])
  t.strictSame([await put('/b', { 'if-none-match': '*' }), await put('/b', { 'if-none-match': '*' })], [201, 412])
  t.strictSame([await put('/b', {}), await put('/c', {})], [400, 400])
  t.equal((await send('GET', '/c')).statusCode, 404)
})

await t.test('reading 3: a tag for an offer that does not exist: 412 on PUT, 404 on the actions', async (t) => {
  const { send, act } = await newPublisher(t)
  const headers = { 'if-match': '"never"' }
  t.equal((await send('PUT', '/tide-db', headers, OFFER)).statusCode, 412)
  for (const action of ACTIONS) {
    for (const ifMatch of ['"never"', '*']) {
      const response = await act(action, { 'if-match': ifMatch })
      t.strictSame([response.statusCode, codeOf(t, response)], [404, 'OfferNotFound'], `${action} ${ifMatch}`)
    }
  }
  t.equal((await send('GET', '/tide-db')).statusCode, 404, 'none of them created the offer')
})

await t.test('reading 4: the tag is strong, in the header alone, and new after every applied operation; a body cannot give one', async (t) => {
  const { send, act, put, pass } = await newPublisher(t)
  const tags = [await put(), await put()]
  const follow = async (action: typeof ACTIONS[number]): Promise<void> => {
    const response = await act(action, { 'if-match': tags.at(-1)! })
    t.ok(response.statusCode < 300, `${action} ${response.statusCode}`)
    tags.push(response.headers.etag as string)
  }
  await follow('cancel') // nothing to cancel
  await follow('publish')
  await follow('publish') // the same draft, which is being published
  pass(TO_SIGN_OFF)
  tags.push((await send('GET', '/tide-db')).headers.etag as string)
  await follow('golive')
  await follow('cancel')
  t.equal(new Set(tags).size, 8)
  for (const tag of tags) t.match(tag, /^"[\w.-]+"$/)

  const document = { ...OFFER, eTag: '"stale"', etag: '"stale"', Etag: 'W/"x"', ETAG: 5 }
  const kept = await send('PUT', '/tide-db', { 'if-match': tags.at(-1)! }, document)
  t.equal(kept.statusCode, 200)
  t.strictSame(Object.keys((await send('GET', '/tide-db')).json()).filter((name) => /etag/i.test(name)), [])
})

await t.test('reading 5: GET of the offer, PUT and the actions carry the tag of the offer; nothing else carries one, and nothing is shown from a cache unasked', async (t) => {
  const { send, act, put, pass } = await newPublisher(t)
  const current = async () => (await send('GET', '/tide-db')).headers.etag
  t.equal(await put(), await current())
  const published = await act('publish')
  t.equal(published.headers.etag, await current())
  pass(TO_SIGN_OFF)
  const went = await act('golive')
  t.equal(went.headers.etag, await current())
  pass(1)
  const nothing = await act('cancel')
  t.strictSame([nothing.statusCode, nothing.headers.etag], [200, await current()])
  for (const method of ['GET', 'HEAD'] as const) {
    const { headers } = await send(method, '/tide-db')
    t.strictSame([headers.etag, headers['cache-control']], [await current(), 'no-cache'])
  }
  for (const path of [
    '',
    '/tide-db/versions/1',
    '/tide-db/slot/draft',
    '/tide-db/slot/production',
    '/tide-db/status',
    '/tide-db/submissions/',
    (went.headers.location as string).replace(/^.*offers(.*)\?.*$/, '$1')
  ]) {
    const response = await send('GET', path)
    t.strictSame(
      [response.statusCode, response.headers.etag, response.headers['cache-control']],
      [200, undefined, 'no-cache'],
      path
    )
  }
})

await t.test('a 412 with Prefer: return=representation (reading 5) is the draft as GET shows it, and for none but the publisher', async (t) => {
  const { app, send, put } = await newPublisher(t)
  const etag = await put()
  const stale = { 'if-match': '"stale"', prefer: 'return=representation' }
  const get = await send('GET', '/tide-db')
  const refused = await send('PUT', '/tide-db', stale, OFFER)
  t.strictSame([refused.statusCode, refused.headers.etag, refused.json()], [412, etag, get.json()])
  t.match(refused.headers, { 'preference-applied': 'return=representation', 'cache-control': 'no-store' })
  t.equal(codeOf(t, await send('PUT', '/tide-db', { 'if-match': '"stale"' }, OFFER)), 'PreconditionFailed')
  for (const [status, authorization] of [[401, undefined], [403, TOKEN]] as const) {
    const url = '/api/publishers/fabrikam/offers/tide-db?api-version=2017-10-31'
    const stranger = await request(app, 'PUT', url, { ...stale, authorization }, OFFER)
    t.strictSame([stranger.statusCode, stranger.headers['preference-applied']], [status, undefined])
  }
})

await t.test('no-cache (reading 5): also publishers and offerTypes, the older address of an operation, and early refusals', async (t) => {
  const { app, act, put } = await newPublisher(t)
  await put()
  await act('publish')
  const version = '?api-version=2017-10-31'
  const cases: Array<[number, string, string | undefined]> = [
    [200, `/api/publishers${version}`, TOKEN],
    [200, `/api/offerTypes${version}`, TOKEN],
    [200, `/api/operations/contoso$tide-db$1$preview${version}`, TOKEN],
    [404, `/api/operations/none${version}`, TOKEN],
    [400, '/api/publishers', TOKEN],
    [401, `/api/publishers${version}`, undefined],
    [403, `/api/publishers/fabrikam/offers${version}`, TOKEN]
  ]
  for (const [status, url, authorization] of cases) {
    const { statusCode, headers } = await request(app, 'GET', url, { authorization })
    t.strictSame([statusCode, headers['cache-control']], [status, 'no-cache'], url)
  }
})

await t.test('reading 6: one tag for an offer with all its publications; of two publishes under one tag one wins', async (t) => {
  const { storage, meet } = await meetingStorage(t)
  const { send, act, put } = await newPublisher(t, { storage })
  const etag = await put()
  meet(2)
  const answers = await Promise.all([act('publish', { 'if-match': etag }), act('publish', { 'if-match': etag })])
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [202, 412])
  // Publish wrote a version and a submission, and so changed the tag of the draft.
  t.equal((await send('PUT', '/tide-db', { 'if-match': etag }, OFFER)).statusCode, 412)
})

await t.test('reading 39: a PUT that is sent again with its Idempotency-Key gets its success, and is not applied twice; without a key, after other writes and with other content it does not', async (t) => {
  const { send, get, put, act, pass } = await newPublisher(t)
  const create = { 'if-none-match': '*', 'idempotency-key': '"create"' }
  const created = [await send('PUT', '/tide-db', create, OFFER), await send('PUT', '/tide-db', create, OFFER)]
  t.strictSame(created.map(({ statusCode, headers }) => [statusCode, headers.etag]), Array(2).fill([
    201, created[0]!.headers.etag
  ]))
  t.equal(created[0]!.body, created[1]!.body)
  const change = { 'if-match': created[0]!.headers.etag as string, 'idempotency-key': '"change"' }
  const document = { ...OFFER, edited: true }
  const changed = await send('PUT', '/tide-db', change, document)
  t.equal((await send('PUT', '/tide-db', change, document)).headers.etag, changed.headers.etag)
  t.equal((await send('PUT', '/tide-db', change, document)).statusCode, 200)
  const reused = await send('PUT', '/tide-db', change, OFFER)
  t.strictSame([reused.statusCode, codeOf(t, reused)], [422, 'IdempotencyKeyReused'])
  t.equal((await get('/tide-db')).edited, true)

  const foreign = await send('PUT', '/tide-db', { ...change, authorization: 'Bearer fabrikam-token' }, document)
  t.equal(foreign.statusCode, 403)
  const unkeyed = { 'if-match': changed.headers.etag as string }
  t.equal((await send('PUT', '/tide-db', unkeyed, document)).statusCode, 200)
  const again = await send('PUT', '/tide-db', unkeyed, document)
  t.strictSame([again.statusCode, again.json().error.ownWrite], [412, undefined], 'it may be of somebody else')
  const since = await send('PUT', '/tide-db', change, document)
  t.match([since.statusCode, since.json().error], [412, { code: 'PreconditionFailed', ownWrite: 'superseded' }])

  const last = { 'if-match': await put(), 'idempotency-key': '"last"' }
  const saved = await send('PUT', '/tide-db', last, document)
  await act('publish', { 'if-match': saved.headers.etag as string })
  pass(TO_SIGN_OFF)
  t.equal((await send('PUT', '/tide-db', last, document)).statusCode, 412, 'a step has come due since')
})
