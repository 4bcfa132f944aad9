import t from 'tap'
import { errorCodes } from 'fastify-if-match'
import { createClient } from 'fastify-if-match/client'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { pauses } from '../../support/client/pauses.js'
import { codeOf, loggedApp, newApp, OFFER, offersUrl, send } from '../../support/example/app.js'
import { heldStorage } from '../../support/example/storage.js'
import { listeningApp, open } from '../../support/raw-socket.js'
import { until } from '../../support/until.js'

const URL = offersUrl('/tide-db')

await t.test('each refusal has its status and its code', async (t) => {
  const app = await newApp(t)
  await send(app, 'PUT', URL, { 'if-match': '*' }, OFFER)
  const json = { 'content-type': 'application/json' }
  const cases: Array<[string, number, string, Promise<any>]> = [
    ['unknown route', 404, 'RouteNotFound', send(app, 'GET', '/api/nothing')],
    ['unknown method', 405, 'MethodNotAllowed', app.inject({ method: 'DELETE', url: URL })],
    ['bad address', 400, 'BadRequest', send(app, 'GET', '/api/publishers/%zz/offers')],
    ['no api-version', 400, 'InvalidAPIVersion', send(app, 'GET', offersUrl('/tide-db', ''))],
    ['unknown offer', 404, 'OfferNotFound', send(app, 'GET', offersUrl('/other'))],
    ['not JSON', 400, 'BadRequest', send(app, 'PUT', URL, { ...json, 'if-match': '*' }, '{"offerTypeId":')],
    [
      'prototype pollution',
      400,
      'BadRequest',
      send(app, 'PUT', URL, { ...json, 'if-match': '*' }, '{"offerTypeId":"x","__proto__":{}}')
    ],
    [
      'another media type',
      415,
      'UnsupportedMediaType',
      send(app, 'PUT', URL, { 'content-type': 'text/plain', 'if-match': '*' }, 'text')
    ],
    ['no media type', 415, 'UnsupportedMediaType', send(app, 'PUT', URL, { 'if-match': '*' }, 'text')],
    [
      'too large',
      413,
      'DocumentTooLarge',
      send(app, 'PUT', URL, { 'if-match': '*' }, { ...OFFER, large: 'x'.repeat(1024 * 1024) })
    ],
    ['no offerTypeId', 400, 'BadRequest', send(app, 'PUT', URL, { 'if-match': '*' }, {})],
    ['no If-Match', 400, 'MissingIfMatch', send(app, 'PUT', URL, {}, OFFER)],
    ['malformed If-Match', 400, 'MalformedPrecondition', send(app, 'PUT', URL, { 'if-match': 'unquoted' }, OFFER)],
    ['stale tag', 412, 'PreconditionFailed', send(app, 'PUT', URL, { 'if-match': '"stale"' }, OFFER)]
  ]
  for (const [name, status, code, sent] of cases) {
    const response = await sent
    t.equal(response.statusCode, status, name)
    t.equal(codeOf(t, response), code, name)
    t.match(response.headers['content-type'], /^application\/json/, name)
  }
})

await t.test('the refusal of a document that is too large names the limit, and quotes nothing of the document', async (t) => {
  const app = await newApp(t)
  const long = 'x'.repeat(200_000)
  await send(app, 'PUT', URL, { 'if-match': '*' }, { offerTypeId: long })
  const message = async (document: unknown): Promise<string> =>
    (await send(app, 'PUT', URL, { 'if-match': '*' }, document)).json().error.message
  t.match(await message({ ...OFFER, large: 'x'.repeat(1024 * 1024) }), /1048576 bytes.*Send a smaller one/)
  t.match(await message({ ...OFFER, large: 'x'.repeat(300 * 1024) }), /262144 bytes.*Send a smaller one/)
  for (const document of [
    OFFER,
    { offerTypeId: long, id: long },
    { offerTypeId: long, publisherId: long },
    { offerTypeId: long, definition: long }
  ]) {
    t.ok((await message(document)).length < 200)
  }
})

await t.test('the refusal of a name differs from that of a text that is not JSON', async (t) => {
  const app = await newApp(t)
  const message = async (payload: string): Promise<string> => {
    const response = await send(app, 'PUT', URL, { 'content-type': 'application/json', 'if-match': '*' }, payload)
    t.strictSame([response.statusCode, codeOf(t, response)], [400, 'BadRequest'])
    return response.json().error.message
  }
  for (const body of ['{"__proto__":{}}', '{"offerTypeId":"x","a":[{"__pr\\u006fto__":1}]}']) {
    t.match(await message(body), /"__proto__"/)
  }
  t.match(await message('{"__proto__":{}'), /not valid JSON/)
  const kept = await send(app, 'PUT', URL, { 'if-match': '*' }, { ...OFFER, constructor: { prototype: { a: 1 } } })
  t.equal(kept.statusCode, 201)
  t.strictSame((await send(app, 'GET', URL)).json().constructor, { prototype: { a: 1 } }, 'an own name like any other')
})

await t.test('messages speak of offers, also where the plugin wrote them', async (t) => {
  const app = await newApp(t)
  const creating = { 'if-none-match': '*' }
  const answers = [
    await send(app, 'GET', URL),
    await send(app, 'PUT', URL, {}, OFFER),
    await send(app, 'PUT', URL, { 'if-match': '"stale"' }, OFFER),
    await send(app, 'PUT', URL, creating, OFFER),
    await send(app, 'PUT', URL, creating, OFFER),
    await send(app, 'PUT', URL, { 'if-match': '"stale"' }, OFFER),
    await send(app, 'PUT', URL, { 'if-match': 'unquoted' }, OFFER),
    await send(app, 'POST', offersUrl('/none/publish'), { 'if-match': '*' }),
    await send(app, 'GET', offersUrl('/none/status'))
  ].filter(({ statusCode }) => statusCode >= 400)
  t.strictSame(
    answers.map((answer) => codeOf(t, answer)),
    [
      'OfferNotFound',
      'MissingIfMatch',
      'PreconditionFailed',
      'PreconditionFailed',
      'PreconditionFailed',
      'MalformedPrecondition',
      'OfferNotFound',
      'OfferNotFound'
    ]
  )
  for (const answer of answers) t.notMatch(answer.json().error.message, /entity(?!-tag)/i)
  t.match(answers[0]!.json().error.message, /^There is no such offer\. Check the address/)
  t.match(answers[5]!.json().error.message, /list of 1 to 256 entity-tags/)
})

await t.test('refusals rank: 401, version, 403, 415, body, If-Match, 404 or 412 (reading 7)', async (t) => {
  const app = await newApp(t)
  // Each step repairs the flaw that the step before was refused for.
  const request = {
    method: 'PUT' as const,
    url: '/api/publishers/fabrikam/offers/tide-db',
    headers: { 'content-type': 'text/plain' } as Record<string, string>,
    payload: '{"id":"other"}'
  }
  const refusals: string[] = []
  const refused = async (): Promise<void> => {
    const response = await app.inject(request)
    refusals.push(`${response.statusCode} ${codeOf(t, response)}`)
  }
  await refused()
  request.headers.authorization = 'Bearer contoso-token'
  await refused()
  request.url += '?api-version=2017-10-31'
  await refused()
  request.url = URL
  await refused()
  request.headers['content-type'] = 'application/json'
  await refused()
  request.payload = '{"id":"other","offerTypeId":"x"}'
  await refused()
  request.payload = '{"id":"tide-db","offerTypeId":"x"}'
  await refused()
  request.headers['if-match'] = 'unquoted'
  await refused()
  request.headers['if-match'] = '"never"'
  await refused()
  t.strictSame(refusals, [
    '401 Unauthorized',
    '400 InvalidAPIVersion',
    '403 Forbidden',
    '415 UnsupportedMediaType',
    '400 BadRequest',
    '400 BadRequest',
    '400 MissingIfMatch',
    '400 MalformedPrecondition',
    '412 PreconditionFailed'
  ])
})

await t.test('an answer tells nothing of a failure of the server; its log has the id that the client was given', async (t) => {
  const storage = memoryAdapter({ around: () => { throw new Error('password=hush') } })
  const { app, logged } = await loggedApp(t, { storage })
  const response = await send(app, 'GET', offersUrl())
  t.equal(response.statusCode, 500)
  t.equal(codeOf(t, response), 'InternalServerError')
  t.notMatch(response.body, /hush/)
  t.match(response.json().error.message, /may have been applied: read the offer/, 'no invitation to write it twice')
  t.equal(response.headers['retry-after'], undefined)
  const failure = logged().find(({ level }) => level === 50)
  t.match(failure, { err: { message: 'password=hush' }, reqId: response.headers['x-ms-correlation-request-id'] })
})

await t.test('a storage that does not answer is 503, and the client is told whether its change may be written', async (t) => {
  let failure: Error = new Error('hush')
  const app = await newApp(t, { storage: memoryAdapter({ around: () => { throw failure } }) })

  const read = await send(app, 'GET', URL)
  t.equal(read.statusCode, 503)
  t.equal(codeOf(t, read), 'StorageUnavailable')
  t.match(read.json().error.message, /was not carried out/)
  t.match(read.headers, { 'retry-after': '1' })
  t.notMatch(read.body, /hush/)

  failure = new errorCodes.FST_IF_MATCH_OUTCOME_UNKNOWN()
  const written = await send(app, 'PUT', URL, { 'if-match': '*' }, OFFER)
  t.equal(written.statusCode, 503)
  t.equal(codeOf(t, written), 'OutcomeUnknown')
  t.equal(written.headers['retry-after'], undefined, 'clients resend by themselves what may have been applied')
})

await t.test('a change that was certainly not applied says so by its code: the client sends it again without a read (RFC 9110 15.6.4)', async (t) => {
  const refusals = [new errorCodes.FST_IF_MATCH_CONTENTION(), new errorCodes.FST_IF_MATCH_STORAGE_UNAVAILABLE()]
  const app = await newApp(t, {
    storage: memoryAdapter({
      around (step, operation) {
        const failure = operation === 'write' ? refusals.pop() : undefined
        if (failure !== undefined) throw failure
        return step()
      }
    })
  })
  await app.ready()
  const waited = pauses(t, 0)
  const sent: string[] = []
  const client = createClient({
    timeout: 1_000_000,
    refusalCodes: ['StorageUnavailable', 'Contention'],
    fetch: async (url, { method, headers, body }) => {
      const response = await send(app, method as 'PUT', url, Object.fromEntries(headers), body)
      sent.push(`${method} ${response.statusCode}`)
      const { 'retry-after': after = '' } = response.headers
      return new Response(response.body, { status: response.statusCode, headers: { 'retry-after': String(after) } })
    }
  })
  t.match(await client.write(URL, OFFER, { overwrite: true }), { outcome: 'confirmed' })
  t.strictSame(sent, ['PUT 503', 'PUT 503', 'PUT 201'])
  t.strictSame(waited.filter((milliseconds) => milliseconds === 1000), [1000, 1000], 'Retry-After: 1')
})

await t.test('a document that the storage cannot hold is a wrong body: 400, as 422 is for offers that cannot be published', async (t) => {
  const refuseValue = () => { throw new errorCodes.FST_IF_MATCH_INVALID_VALUE('it has a NUL') }
  const app = await newApp(t, { storage: memoryAdapter({ around: refuseValue }) })
  const response = await send(app, 'PUT', URL, { 'if-match': '*' }, OFFER)
  t.strictSame([response.statusCode, codeOf(t, response)], [400, 'BadRequest'])
})

await t.test('an error with a status that is no error, or without a code of ours, has the form of the API', async (t) => {
  const app = await newApp(t)
  const failures: Record<string, [unknown, number, string]> = {
    none: [Object.assign(new Error('x'), { statusCode: 200 }), 500, 'InternalServerError'],
    teapot: [Object.assign(new Error('x'), { statusCode: 418 }), 418, 'BadRequest'],
    gateway: [Object.assign(new Error('hush'), { statusCode: 502 }), 502, 'InternalServerError'],
    foreign: [Object.assign(new Error('hush'), { statusCode: 503, code: 'ECONNREFUSED' }), 503, 'ServiceUnavailable']
  }
  app.get('/fail/:how', async (request) => { throw failures[(request.params as { how: string }).how]![0] })
  for (const [how, [, status, code]] of Object.entries(failures)) {
    const response = await app.inject(`/fail/${how}`)
    t.equal(response.statusCode, status, how)
    t.equal(codeOf(t, response), code, how)
    t.notMatch(response.body, /hush/)
  }
})

await t.test('a client that leaves while its offer is read is no failure of the server', async (t) => {
  const { storage, begun, release } = await heldStorage(t, 'read')
  const { app, logged } = await listeningApp(t, { storage })
  const answered = new Promise<void>((resolve) => {
    app.server.once('request', (_request, response) => { response.once('close', resolve) })
  })
  const client = await open(t, app)
  client.write(`GET ${URL} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer contoso-token\r\n\r\n`)
  await begun
  // A client that only closes its side may still wait for the answer (reading 38).
  client.resetAndDestroy()
  await answered
  release()
  const line = await until('the request is logged', () =>
    logged().find(({ msg }) => /^request (failed|refused)$/.test(msg)))
  t.match(line, { level: 30, code: 'FST_IF_MATCH_LATE_WRITE' })
})
