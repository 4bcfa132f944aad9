import t from 'tap'
import { changedByParsing } from '../../../example/app/changed-by-parsing.js'
import { codeOf, OFFER, offersUrl, send } from '../../support/example/app.js'
import { countingStorage } from '../../support/example/storage.js'
import { newPublisher, TO_SIGN_OFF, type Headers } from '../../support/example/publisher.js'

type Method = 'GET' | 'PUT' | 'POST'
type Case = [name: string, method: Method, path: string, headers: Headers, payload: unknown, expected: string]

const JSON_TYPE = { 'content-type': 'application/json' }
const ANY = { ...JSON_TYPE, 'if-match': '*' }
const BAD = '400 BadRequest'

function put (name: string, document: unknown, expected = BAD, headers: Headers = ANY): Case {
  const isEncoded = typeof document === 'string' || Buffer.isBuffer(document)
  return [name, 'PUT', '/tide-db', headers, isEncoded ? document : JSON.stringify(document), expected]
}

function post (name: string, path: string, headers: Headers, payload: unknown, expected: string): Case {
  return [name, 'POST', path, headers, payload, expected]
}

function get (path: string, expected: string): Case {
  return [`GET ${path}`, 'GET', path, {}, undefined, expected]
}

const type = OFFER.offerTypeId

const ACTION_BODIES = [
  [],
  'text',
  5,
  { metadata: null },
  { metadata: [] },
  { metadata: { 'notification-emails': 5 } },
  { metadata: { 'notification-emails': ['a'] } }
]

const MALFORMED_TAGS = [
  '',
  ' ',
  '""x',
  'tag',
  '*, "a"',
  '"a" "b"',
  'w/"a"',
  "W/'a'",
  Array.from({ length: 257 }, (_, index) => `"${index}"`).join()
]

const UNKNOWN_FILTERS = [
  '',
  'x',
  'offerTypeId',
  "offerTypeId eq 'a",
  "offerTypeId eq 'a' and id eq 'b'",
  "offerTypeId lt 'a'",
  'offerTypeId eq null'
]

const CASES: Case[] = [
  put('nothing', ''),
  put('half a document', '{"offerTypeId":"x"'),
  put('two documents', '{}{}'),
  put('null', null),
  put('a list', [OFFER]),
  put('a text', '"text"'),
  put('a number', 5),
  put('NaN', '{"offerTypeId":NaN}'),
  put('UTF-16', Buffer.from(JSON.stringify(OFFER), 'utf16le')),
  put('no type', { definition: OFFER.definition }),
  put('an empty type', { ...OFFER, offerTypeId: '' }),
  put('a type that is null', { ...OFFER, offerTypeId: null }),
  put('a type that is a number', { ...OFFER, offerTypeId: 5 }),
  put('another type', { ...OFFER, offerTypeId: 'another' }),
  put('the type in other letters', { ...OFFER, offerTypeId: type.toUpperCase() }),
  put('another id', { ...OFFER, id: 'other' }),
  put('the id in other letters', { ...OFFER, id: 'Tide-db' }),
  put('an id that is null', { ...OFFER, id: null }),
  put('an empty id', { ...OFFER, id: '' }),
  put('another publisher', { ...OFFER, publisherId: 'fabrikam' }),
  put('a publisher that is a list', { ...OFFER, publisherId: ['contoso'] }),
  put('a definition that is a text', { ...OFFER, definition: '{}' }),
  put('a definition that is a list', { ...OFFER, definition: [] }),
  put('a name that is a number', { ...OFFER, definition: { displayText: 5 } }),
  put('an offer that is a list', { ...OFFER, definition: { offer: [] } }),
  put('plans that are an object', { ...OFFER, definition: { plans: {} } }),
  put('a plan that is a text', { ...OFFER, definition: { plans: ['small'] } }),
  put('a plan without an id', { ...OFFER, definition: { plans: [{}] } }),
  put('a plan with a number for an id', { ...OFFER, definition: { plans: [{ planId: 5 }] } }),
  put('a version of the type that is a text', { ...OFFER, offerTypeVersions: { x: '1' } }),
  put('a version of the type that is a fraction', { ...OFFER, offerTypeVersions: { x: 1.5 } }),
  put('versions of the type in a list', { ...OFFER, offerTypeVersions: [1] }),
  put('too deep', `{"offerTypeId":"${type}","d":${'{"d":'.repeat(500)}1${'}'.repeat(500)}}`),
  put('far too deep', `{"offerTypeId":"${type}","d":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
  put('too large', { ...OFFER, large: 'x'.repeat(1024 * 1024) }, '413 DocumentTooLarge'),
  ...['-1e999', '1e400', '9007199254740993', '0.1234567890123456789', '1e-400', '123456789012345678'].map((number) =>
    put(`the number ${number}`, `{"offerTypeId":"${type}","n":{"n":[${number}]}}`)
  ),
  put('a number too large in a field of the server', `{"offerTypeId":"${type}","version":9007199254740993}`),
  put('a name twice', `{"offerTypeId":"${type}","offerTypeId":"${type}"}`),
  put('a name twice, once in codes', `{"offerTypeId":"${type}","d":[{"a":1,"\\u0061":1}]}`),
  post('a name twice in the body of an action', '/tide-db/publish', ANY, '{"metadata":{},"metadata":{}}', BAD),
  put('__proto__', `{"offerTypeId":"${type}","__proto__":{}}`),
  put('another media type', OFFER, '415 UnsupportedMediaType', {
    ...ANY,
    'content-type': 'application/merge-patch+json'
  }),
  put('a form', 'offerTypeId=x', '415 UnsupportedMediaType', {
    ...ANY,
    'content-type': 'application/x-www-form-urlencoded'
  }),
  put('no media type', JSON.stringify(OFFER), '415 UnsupportedMediaType', { 'if-match': '*' }),
  put('a coding', OFFER, '415 UnsupportedMediaType', { ...ANY, 'content-encoding': 'br' }),
  put('no If-Match', OFFER, '400 MissingIfMatch', JSON_TYPE),
  ...MALFORMED_TAGS.map((tag) =>
    put(`If-Match: ${tag.slice(0, 20)}`, OFFER, '400 MalformedPrecondition', { ...ANY, 'if-match': tag })
  ),
  ...['"never"', '""', '"*"', '"a", "b"', 'W/"a"'].map((tag) =>
    put(`If-Match: ${tag}`, OFFER, '412 PreconditionFailed', { ...ANY, 'if-match': tag })
  ),
  put('If-None-Match: *', OFFER, '412 PreconditionFailed', { ...JSON_TYPE, 'if-none-match': '*' }),
  put('If-None-Match: x', OFFER, '400 MalformedPrecondition', { ...ANY, 'if-none-match': 'x' }),
  ...['publish', 'golive', 'cancel'].flatMap((action): Case[] => {
    const path = `/tide-db/${action}`
    const text = { 'if-match': '*', 'content-type': 'text/plain' }
    return [
      ...ACTION_BODIES.map((body) =>
        post(`${action} ${JSON.stringify(body)}`, path, ANY, JSON.stringify(body), BAD)
      ),
      post(`${action} as text`, path, text, 'x', '415 UnsupportedMediaType'),
      post(`${action} of no offer`, `/none/${action}`, ANY, undefined, '404 OfferNotFound'),
      post(`${action} of no id`, `/NONE/${action}`, ANY, undefined, BAD),
      post(`${action} under a stale tag`, path, { 'if-match': '"never"' }, undefined, '412 PreconditionFailed'),
      post(`${action} under no tag`, path, {}, undefined, '400 MissingIfMatch')
    ]
  }),
  post('golive of a draft', '/tide-db/golive', ANY, undefined, '400 NotWaitingForSignoff'),
  ...['/none', '/none/versions/1', '/none/slot/draft', '/none/status', '/none/submissions/', '/none/operations/x'].map(
    (path) => get(path, '404 OfferNotFound')
  ),
  ...['/NONE', '/a.b', '/a%2Fb', '/tide-db%00', '/-', `/${'x'.repeat(51)}`].map((path) => get(path, BAD)),
  ...['0', '1', '9'.repeat(16)].map((version) => get(`/tide-db/versions/${version}`, '404 VersionNotFound')),
  ...['-1', '1.0', '1e3', '0x1', 'latest', '01', '%20'].map((version) => get(`/tide-db/versions/${version}`, BAD)),
  ...['preview', 'PREVIEW', 'Production'].map((slot) => get(`/tide-db/slot/${slot}`, '404 SlotEmpty')),
  ...['view', 'staging', 'constructor', 'preview%20'].map((slot) => get(`/tide-db/slot/${slot}`, BAD)),
  ...['x', '__proto__', 'undefined'].map((id) => get(`/tide-db/operations/${id}`, '404 OperationNotFound')),
  ...UNKNOWN_FILTERS.map((filter) => get(`?$filter=${encodeURIComponent(filter)}`, BAD)),
  get('/tide-db/submissions?status=a&status=b', BAD)
]

await t.test('bad input has its status and code, in the form of every refusal, and leaves the offer as it was', async (t) => {
  const { storage, calls } = await countingStorage(t)
  const publisher = await newPublisher(t, { storage })
  const etag = await publisher.put()
  const before = (await publisher.send('GET', '/tide-db')).body
  calls.length = 0
  for (const [name, method, path, headers, payload, expected] of CASES) {
    const response = await publisher.send(method, path, headers, payload)
    t.equal(`${response.statusCode} ${codeOf(t, response)}`, expected, name)
    t.match(response.headers['content-type'], 'application/json')
  }
  t.strictSame(calls.filter((call) => call.startsWith('write')), [])
  const after = await publisher.send('GET', '/tide-db')
  t.strictSame([after.body, after.headers.etag], [before, etag])
})

await t.test('JSON that JavaScript would change is told by its place; other forms of a value it holds are kept', async (t) => {
  const changed: Array<[json: string, message: RegExp]> = [
    ['9007199254740993', /^body is a number/],
    ['[1,[0.1234567890123456789]]', /^body\/1\/0 is a number/],
    ['{"a":[{},{"b c":-9007199254740993}]}', /^body\/a\/1\/b c is a number/],
    ['{"a/b":{"~":1e400}}', /^body\/a~1b\/~0 is a number/],
    ['[-1e999]', /^body\/0 is a number/],
    ['[1e-400]', /^body\/0 is a number/],
    [`[0.${'0'.repeat(400)}1]`, /^body\/0 is a number/],
    ['[4.9e-324]', /^body\/0 is a number/],
    ['[0.10000000000000001]', /^body\/0 is a number/],
    [`[${'9'.repeat(100_000)}]`, /^body\/0 is a number/],
    ['{"a":1,"a":1}', /^body\/a is there twice/],
    ['{"a":1,"b":{"a":2},"a":1}', /^body\/a is there twice/],
    ['[{"":1,"":2}]', /^body\/0\/ is there twice/],
    ['{"a":1,"\\u0061":1}', /^body\/a is there twice/],
    ['{"\\ud83d\\ude00":1,"\u{1f600}":1}', /is there twice/],
    ['{"\\"":"\\\\","\\u0022":1}', /^body\/" is there twice/],
    ['{"constructor":1,"constructor":1}', /^body\/constructor is there twice/],
    ['{ "a" : { } , "a" : [ ] }', /^body\/a is there twice/],
    [`${'['.repeat(50_000)}{"a":1,"a":1}${']'.repeat(50_000)}`, /^body[/0]{96}… is there twice/],
    [`{"${'x'.repeat(1000)}":1e400}`, /^body\/x{95}… is a number/]
  ]
  for (const [json, message] of changed) t.match(changedByParsing(json), message, json.slice(0, 60))
  for (const json of [
    '1', '-1.5', '0', '-0', '-0.0e5', '1.0', '1.10', '1e2', '1E+2', '100e-2', '0.1', '1e-7', '0.0000001', '1e23',
    '1e21', '123456789012345680000',
    `1${'0'.repeat(300)}`, `0.${'0'.repeat(300)}1e301`, '5e-324', '1.7976931348623157e308',
    '9007199254740992', '9007199254740994', '0.30000000000000004', '0e999999999999999999999', '"1e400"',
    '"\\\\"', '"\\\\\\""', '{"a":"{\\"a\\":1,","A":1,"a ":1}', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":1}}}',
    '{"a":["a","a",true,false,null],"b":"a"}', '{"\\ud800":1,"\\udfff":1}', '{"e\u0301":1,"\u00e9":1}', '[]', ' { } '
  ]) {
    t.equal(changedByParsing(json), undefined, json.slice(0, 60))
  }
})

await t.test('a mebibyte of JSON is looked through in a time that grows with its length alone', async (t) => {
  const size = 2 ** 20
  for (const json of [
    `["${'\\\\'.repeat(size / 2)}"]`,
    `[${'0.'.concat('0'.repeat(size))}]`,
    `["${'\\"'.repeat(size / 2)}"]`,
    `${'['.repeat(size / 2)}${']'.repeat(size / 2)}`,
    `{${Array.from({ length: size / 10 }, (_, index) => `"${index}":1`).join()}}`
  ]) {
    const start = process.cpuUsage()
    t.equal(changedByParsing(json), undefined)
    // It takes some tens of milliseconds; squared, it would be minutes.
    t.ok(process.cpuUsage(start).user < 5_000_000, json.slice(0, 20))
  }
})

await t.test('a method that an address does not have: 405, Allow names those that it has, also without a token (RFC 9110 15.5.6)', async (t) => {
  const { app, put } = await newPublisher(t)
  const etag = await put()
  const cases: Array<[path: string, allowed: string, refused: string[]]> = [
    [offersUrl('/tide-db'), 'GET, HEAD, PUT', ['DELETE', 'PATCH', 'POST', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND']],
    [offersUrl('/none'), 'GET, HEAD, PUT', ['DELETE']],
    [offersUrl('/NO%20ID'), 'GET, HEAD, PUT', ['DELETE']],
    ['/api/publishers/nobody/offers/tide-db', 'GET, HEAD, PUT', ['DELETE']],
    ['/api/publishers/contoso/offers/tide-db/', 'GET, HEAD, PUT', ['DELETE']],
    [offersUrl(''), 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'PATCH']],
    [offersUrl('/tide-db/publish'), 'POST', ['GET', 'HEAD', 'PUT', 'DELETE']],
    [offersUrl('/tide-db/golive'), 'POST', ['PUT']],
    [offersUrl('/tide-db/slot/draft'), 'GET, HEAD', ['PUT']],
    [offersUrl('/tide-db/status'), 'GET, HEAD', ['POST']],
    [offersUrl('/tide-db/submissions/'), 'GET, HEAD', ['DELETE']],
    ['/api/operations/contoso$tide-db$1$preview', 'GET, HEAD', ['DELETE']],
    ['/api/offerTypes', 'GET, HEAD', ['POST']],
    ['/health', 'GET, HEAD', ['POST', 'OPTIONS']],
    ['/docs', 'GET, HEAD', ['POST']],
    ['/docs/static/index.html', 'GET, HEAD', ['DELETE']],
    ['/', 'GET, HEAD', ['PUT', 'OPTIONS']]
  ]
  for (const [path, allowed, refused] of cases) {
    for (const method of refused) {
      for (const authorization of ['Bearer contoso-token', undefined]) {
        // A body that the server would refuse, and the media type of one, change nothing.
        const headers = { authorization, 'if-match': '*', 'content-type': 'text/plain' }
        const response = await send(app, method as 'GET', path, headers, method === 'POST' ? '{' : undefined)
        const unread = await send(app, method as 'GET', path, { ...headers, 'content-type': 'application/json' }, '{')
        t.equal(unread.statusCode, 405, `${method} ${path} with a body that is not JSON`)
        const name = `${method} ${path}`
        t.strictSame([response.statusCode, response.headers.allow], [405, allowed], name)
        t.equal(response.headers['cache-control'], 'no-cache', name)
        if (method !== 'HEAD') t.equal(codeOf(t, response), 'MethodNotAllowed', name)
      }
    }
  }
  t.equal((await send(app, 'GET', offersUrl('/tide-db'))).headers.etag, etag)
})

await t.test('an address that no route is for: 404 for each method, and no Allow', async (t) => {
  const { app } = await newPublisher(t)
  const slot = offersUrl('/tide-db/slot')
  for (const path of ['/api', '/api/nothing', '/nowhere', offersUrl('/a/b'), slot, '/docs/static/x']) {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'] as const) {
      if (path === '/docs/static/x' && method !== 'GET') continue
      const response = await send(app, method as 'GET', path)
      t.strictSame([response.statusCode, codeOf(t, response)], [404, 'RouteNotFound'], `${method} ${path}`)
      t.equal(response.headers.allow, undefined)
      t.equal(response.headers['cache-control'], 'no-cache')
    }
  }
})

await t.test('HEAD answers as GET does, without the body', async (t) => {
  const { app, send: ask, put, act, pass } = await newPublisher(t)
  await put()
  const published = await act('publish')
  pass(TO_SIGN_OFF)
  const urls = [
    ...[
      '',
      '/tide-db',
      '/tide-db/versions/1',
      '/tide-db/slot/preview',
      '/tide-db/slot/production',
      '/tide-db/status',
      '/tide-db/submissions/',
      '/none'
    ].map((path) => offersUrl(path)),
    published.headers.location as string,
    ...['operations/contoso$tide-db$1$preview', 'publishers', 'offerTypes'].map(
      (path) => `/api/${path}?api-version=2017-10-31`
    )
  ]
  for (const url of urls) {
    const [got, head] = [await send(app, 'GET', url), await send(app, 'HEAD', url)]
    const seen = ({ statusCode, headers }: typeof got) => [
      statusCode,
      headers.etag,
      headers['content-type'],
      headers['content-length']
    ]
    t.strictSame([head.body, ...seen(head)], ['', ...seen(got)], url)
  }
  t.equal((await ask('HEAD', '/tide-db', { 'if-match': '"stale"' })).statusCode, 412)
})

await t.test('GET of an offer is 304 under its tag, until the clock has moved the offer', async (t) => {
  const { send: ask, put, act, pass } = await newPublisher(t)
  await put()
  const etag = (await act('publish')).headers.etag as string
  for (const ifNoneMatch of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    for (const method of ['GET', 'HEAD'] as const) {
      const response = await ask(method, '/tide-db', { 'if-none-match': ifNoneMatch })
      t.strictSame(
        [response.statusCode, response.headers.etag, response.body],
        [304, etag, ''],
        `${method} ${ifNoneMatch}`
      )
    }
  }
  t.equal((await ask('GET', '/tide-db', { 'if-none-match': '"other"' })).statusCode, 200)
  pass(TO_SIGN_OFF - 0.001)
  t.equal((await ask('GET', '/tide-db', { 'if-none-match': etag })).statusCode, 304, 'steps do not show in it')
  pass(0.001)
  const moved = await ask('GET', '/tide-db', { 'if-none-match': etag })
  t.strictSame([moved.statusCode, moved.json().status], [200, 'waitingForPublisherReview'])
  t.equal((await ask('GET', '/tide-db', { 'if-none-match': moved.headers.etag as string })).statusCode, 304)
})

await t.test('an address in percent codes is that of the same offer', async (t) => {
  const { app, put } = await newPublisher(t)
  const etag = await put()
  const coded = '/api/publishers/%63ontoso/offers/tide%2Ddb?api%2Dversion=2017%2D10-31'
  t.equal((await send(app, 'GET', coded)).headers.etag, etag)
  const published = await send(app, 'POST', coded.replace('?', '/publish?'), {
    'if-match': etag,
    'content-type': 'Application/JSON; charset=utf-8'
  })
  t.equal(published.statusCode, 202)
  t.equal((await send(app, 'GET', published.headers.location as string)).statusCode, 200)
})
