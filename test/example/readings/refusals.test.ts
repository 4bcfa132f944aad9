import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorCodes } from 'fastify-if-match'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { parseTokens } from '../../../example/app/tokens.js'
import { codeOf, newApp, OFFER, offersUrl, send } from '../../support/example/app.js'
import { newPublisher } from '../../support/example/publisher.js'
import { until } from '../../support/until.js'

const JSON_TYPE = { 'content-type': 'application/json' }
const TEXT = { 'content-type': 'text/plain' }

await t.test('reading 7: refusals rank, shown for each pair of neighbours', async (t) => {
  const app = await newApp(t)
  const stale = { 'if-match': '"stale"' }
  await send(app, 'PUT', offersUrl('/nameless'), { 'if-match': '*' }, { offerTypeId: 'x' })
  const foreign = '/api/publishers/fabrikam/offers/tide-db'
  const valid = '?api-version=2017-10-31'
  const nobody = { authorization: undefined }
  const gzip = { ...JSON_TYPE, 'content-encoding': 'gzip' }
  const large = { ...OFFER, large: 'x'.repeat(300 * 1024) }
  const tooLarge = 'x'.repeat(2 ** 20 + 1)
  const OFFER_URL = offersUrl('/tide-db')
  const cases: Array<[string, string, ReturnType<typeof send>]> = [
    ['an unreadable address before 401', '400 BadRequest', send(app, 'GET', '/api/publishers/%zz', nobody)],
    ['an address without a route before 401', '404 RouteNotFound', send(app, 'GET', '/api/nothing', nobody)],
    ['a method that the address lacks before 401', '405 MethodNotAllowed', send(app, 'DELETE', OFFER_URL, nobody)],
    ['401 before the version', '401 Unauthorized', send(app, 'GET', offersUrl('/tide-db', ''), nobody)],
    ['the version before 403', '400 InvalidAPIVersion', send(app, 'GET', foreign)],
    ['403 before 415', '403 Forbidden', send(app, 'PUT', foreign + valid, TEXT, 'text')],
    ['403 before the parameters', '403 Forbidden', send(app, 'GET', `/api/publishers/fabrikam/offers/NONE${valid}`)],
    ['415 before the body', '415 UnsupportedMediaType', send(app, 'PUT', OFFER_URL, TEXT, '{}')],
    ['415 before the parameters', '415 UnsupportedMediaType', send(app, 'PUT', offersUrl('/NONE'), TEXT, '{}')],
    ['415 before the size of the body', '415 UnsupportedMediaType', send(app, 'PUT', OFFER_URL, TEXT, tooLarge)],
    [
      'the size of the body before its coding',
      '413 DocumentTooLarge',
      send(app, 'PUT', offersUrl('/NONE'), gzip, tooLarge)
    ],
    ['the coding before the body', '415 UnsupportedMediaType', send(app, 'PUT', OFFER_URL, gzip, '{')],
    [
      'the parameters before the size of the document',
      '400 BadRequest',
      send(app, 'PUT', offersUrl('/NONE'), {}, large)
    ],
    ['Expect before 401', '417 BadRequest', send(app, 'GET', OFFER_URL, { ...nobody, expect: 'x' })],
    [
      'the size before If-Match',
      '413 DocumentTooLarge',
      send(app, 'PUT', OFFER_URL, {}, { ...OFFER, large: 'x'.repeat(1024 * 1024) })
    ],
    ['the body before If-Match: not JSON', '400 BadRequest', send(app, 'PUT', OFFER_URL, JSON_TYPE, '{')],
    ['the body before If-Match: its schema', '400 BadRequest', send(app, 'PUT', OFFER_URL, {}, {})],
    ['the body before If-Match: its id', '400 BadRequest', send(app, 'PUT', OFFER_URL, {}, { ...OFFER, id: 'other' })],
    [
      'the body before If-Match: a number that JSON cannot hold',
      '400 BadRequest',
      send(app, 'PUT', OFFER_URL, JSON_TYPE, '{"offerTypeId":"x","huge":[1e400]}')
    ],
    [
      'the body before If-Match: that of an action',
      '400 BadRequest',
      send(app, 'POST', offersUrl('/tide-db/publish'), {}, { metadata: 5 })
    ],
    ['the parameters before If-Match', '400 BadRequest', send(app, 'PUT', offersUrl('/NONE'), {}, OFFER)],
    ['the parameters before 404: a slot', '400 BadRequest', send(app, 'GET', offersUrl('/none/slot/attic'))],
    ['the parameters before 404: a version', '400 BadRequest', send(app, 'GET', offersUrl('/none/versions/first'))],
    [
      'the parameters before 404: a filter',
      '400 BadRequest',
      send(app, 'GET', offersUrl('/none/submissions', 'api-version=2017-10-31&status=a&status=b'))
    ],
    ['a missing If-Match before 404', '400 MissingIfMatch', send(app, 'POST', offersUrl('/none/publish'))],
    [
      'a malformed If-Match before 404',
      '400 MalformedPrecondition',
      send(app, 'POST', offersUrl('/none/publish'), { 'if-match': 'unquoted' })
    ],
    ['404 before 412', '404 OfferNotFound', send(app, 'POST', offersUrl('/none/publish'), stale)],
    ['412 before 422', '412 PreconditionFailed', send(app, 'POST', offersUrl('/nameless/publish'), stale)],
    ['412 before the state', '412 PreconditionFailed', send(app, 'POST', offersUrl('/nameless/golive'), stale)],
    [
      '412 before the type of the offer',
      '412 PreconditionFailed',
      send(app, 'PUT', offersUrl('/nameless'), stale, { offerTypeId: 'y' })
    ],
    ['422', '422 OfferNotPublishable', send(app, 'POST', offersUrl('/nameless/publish'), { 'if-match': '*' })],
    ['the state', '400 NotWaitingForSignoff', send(app, 'POST', offersUrl('/nameless/golive'), { 'if-match': '*' })]
  ]
  for (const [name, expected, sent] of cases) {
    const response = await sent
    t.equal(`${response.statusCode} ${codeOf(t, response)}`, expected, name)
  }
})

await t.test('reading 8: a missing api-version is an unknown one; the preview is for offerTypes alone', async (t) => {
  const app = await newApp(t)
  const status = async (path: string, query: string) => {
    const response = await send(app, 'GET', `/api/${path}${query}`)
    return [response.statusCode, response.statusCode === 400 && codeOf(t, response)]
  }
  for (const path of ['offerTypes', 'publishers', 'publishers/contoso/offers']) {
    t.strictSame(await status(path, '?api-version=2017-10-31'), [200, false], path)
    t.strictSame(await status(path, ''), [400, 'InvalidAPIVersion'], path)
    t.strictSame(
      await status(path, '?api-version=2016-08-01-preview'),
      path === 'offerTypes' ? [200, false] : [400, 'InvalidAPIVersion'],
      path
    )
  }
})

await t.test('reading 9: a publisher without a role is 403, known or not; both roles may do the same', async (t) => {
  const app = await newApp(t, { tokens: parseTokens('two=contoso:owner+fabrikam:contributor') })
  const authorization = 'Bearer two'
  const address = (publisher: string, path: string): string =>
    `/api/publishers/${publisher}/offers/tide-db${path}?api-version=2017-10-31`
  const outcomes = async (publisher: string): Promise<number[]> => {
    const statuses: number[] = []
    for (const [method, path, body] of [
      ['PUT', '', OFFER],
      ['GET', ''],
      ['POST', '/publish'],
      ['GET', '/versions/1'],
      ['GET', '/status'],
      ['GET', '/submissions'],
      ['POST', '/golive'],
      ['POST', '/cancel']
    ] as const) {
      const headers = { authorization, ...(method !== 'GET' && { 'if-match': '*' }) }
      statuses.push((await send(app, method, address(publisher, path), headers, body)).statusCode)
    }
    return statuses
  }
  t.strictSame(await outcomes('contoso'), [201, 200, 202, 200, 200, 200, 400, 202])
  t.strictSame(await outcomes('fabrikam'), await outcomes('contoso').then(([, ...rest]) => [201, ...rest]))
  t.strictSame(new Set(await outcomes('nobody')), new Set([403]))
})

await t.test('reading 10: a body that contradicts its address or its offer, is too deep or too large, or has __proto__', async (t) => {
  const { send, put } = await newPublisher(t)
  const etag = await put()
  const before = await send('GET', '/tide-db')
  const nested = (levels: number): string =>
    `{"offerTypeId":"${OFFER.offerTypeId}","deep":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
  const longNumbers = `{"offerTypeId":"${OFFER.offerTypeId}","numbers":[${'1e20,'.repeat(13_000)}0]}`
  const wrong: Array<[string, number, string, unknown]> = [
    ['id', 400, 'BadRequest', { ...OFFER, id: 'other' }],
    ['publisherId', 400, 'BadRequest', { ...OFFER, publisherId: 'fabrikam' }],
    ['offerTypeId', 400, 'BadRequest', { ...OFFER, offerTypeId: 'another' }],
    ['501 levels', 400, 'BadRequest', nested(501)],
    ['__proto__', 400, 'BadRequest', '{"offerTypeId":"x","definition":{"plans":[{"planId":"a","__proto__":{}}]}}'],
    ['__proto__ in other letters', 400, 'BadRequest', '{"offerTypeId":"x","\\u005f_proto__":1}'],
    ['large', 413, 'DocumentTooLarge', JSON.stringify({ ...OFFER, large: 'x'.repeat(256 * 1024) })],
    ['large once it is kept', 413, 'DocumentTooLarge', longNumbers],
    ['a large body', 413, 'DocumentTooLarge', JSON.stringify(OFFER) + ' '.repeat(1024 * 1024)]
  ]
  for (const [name, status, code, document] of wrong) {
    const body = typeof document === 'string' ? document : JSON.stringify(document)
    const refused = await send('PUT', '/tide-db', { 'if-match': etag, ...JSON_TYPE }, body)
    t.strictSame([refused.statusCode, codeOf(t, refused)], [status, code], name)
  }
  const after = await send('GET', '/tide-db')
  t.strictSame([after.headers.etag, after.body], [etag, before.body])
  t.equal((await send('PUT', '/tide-db', { 'if-match': etag, ...JSON_TYPE }, nested(500))).statusCode, 200)
  const empty = JSON.stringify({ ...OFFER, large: '' })
  const largest = empty.replace('""', `"${'x'.repeat(256 * 1024 - empty.length)}"`)
  for (const body of [
    largest,
    largest + ' '.repeat(1024 * 1024 - largest.length),
    JSON.stringify((await send('GET', '/tide-db')).json())
  ]) {
    t.equal((await send('PUT', '/tide-db', { 'if-match': '*', ...JSON_TYPE }, body)).statusCode, 200)
  }
})

await t.test('reading 11: each code that Microsoft left open is given, with its status', async (t) => {
  const page = readFileSync('docs/reference/offers-api.md', 'utf8')
  const [reading] = /^11\. [^]*?(?=^\S)/m.exec(page)!
  // The page names codes, and behind them their status in brackets.
  const listed = [...reading.matchAll(/((?:`\w+`,\s+)*`\w+`)\s+\((\d{3})\)/g)].flatMap(([, codes, status]) =>
    codes!.split(/,\s+/).map((code) => `${status} ${code.slice(1, -1)}`)
  )

  const { app, send: ask, put, act } = await newPublisher(t)
  const given = [
    await ask('PUT', '/tide-db', {}, OFFER),
    await ask('PUT', '/tide-db', { 'if-match': 'unquoted' }, OFFER),
    await ask('GET', '', { authorization: undefined }),
    await send(app, 'GET', '/api/nothing'),
    await send(app, 'DELETE', offersUrl('/tide-db')),
    await ask('GET', '/tide-db')
  ]
  await put()
  given.push(
    await ask('GET', '/tide-db/versions/1'),
    await ask('GET', '/tide-db/slot/preview'),
    await ask('GET', '/tide-db/operations/none')
  )
  given.push(await ask('PUT', '/tide-db', { 'if-match': '"stale"' }, OFFER))
  const keyed = { 'if-match': await put(), 'idempotency-key': 'one' }
  await ask('PUT', '/tide-db', keyed, OFFER)
  given.push(await ask('PUT', '/tide-db', keyed, { ...OFFER, other: true }))
  given.push(await ask('PUT', '/tide-db', { ...keyed, 'idempotency-key': '' }, OFFER))
  given.push(await ask('PUT', '/tide-db', { 'if-match': '*' }, { ...OFFER, large: 'x'.repeat(1024 * 1024) }))
  given.push(await ask('PUT', '/tide-db', { ...TEXT, 'if-match': '*' }, 'text'), await act('golive'))
  await act('publish')
  await put({ ...OFFER, edited: true })
  given.push(await act('publish'))
  await put({ offerTypeId: OFFER.offerTypeId })
  given.push(await act('publish'))
  const { FST_IF_MATCH_OUTCOME_UNKNOWN: Unknown, FST_IF_MATCH_CONTENTION: Contention } = errorCodes
  let failure: Error
  const failing = await newApp(t, { storage: memoryAdapter({ around: () => { throw failure } }) })
  for (failure of [new Unknown(), new Contention(), new Error('hush')]) {
    given.push(await send(failing, 'PUT', offersUrl('/tide-db'), { 'if-match': '*' }, OFFER))
  }
  const busy = await newApp(t, { limits: { maxRequestsPerToken: 0 } })
  given.push(await send(busy, 'GET', offersUrl('/tide-db')))
  const overloaded = await newApp(t, { limits: { sampleMs: 1, maxHeapPercent: 0.001 } })
  given.push(await until('overload is noticed', async () => {
    const response = await send(overloaded, 'GET', offersUrl('/tide-db'))
    return response.statusCode === 503 && response
  }))
  given.push(await send(failing, 'GET', '/health'))
  t.strictSame(given.map((response) => `${response.statusCode} ${codeOf(t, response)}`).sort(), listed.sort())
  t.equal(listed.length, 23)
})
