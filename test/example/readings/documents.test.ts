import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { codeOf, newApp, OFFER, offersUrl, send, TYPE } from '../../support/example/app.js'
import { newPublisher, TO_SIGN_OFF } from '../../support/example/publisher.js'

const OWNED = {
  status: 'succeeded',
  version: 12345678901,
  changedTime: 0,
  pcMigrationStatus: 'migrated',
  pcRedirectUri: 'https://example.org',
  isvUpgradeRequest: false,
  lockStatus: 'none',
  offerTypeChanges: [],
  pricingNotRecalculatedRegions: ['FI'],
  offerTypeVersionsOverride: {}
}

// A serializer that knows a schema writes texts itself, so it has to know these characters.
const ODD_TEXT = 'ä \u{1f30a} \u2028 \u0000 \u007f \ud800 "\\ </script>'

/** Asserts equality. tap itself cannot print objects whose toString or hasOwnProperty is no function. */
function same (t: Test, actual: unknown, expected: unknown, name = 'the document'): void {
  t.ok(isDeepStrictEqual(actual, expected), name, { found: JSON.stringify(actual), wanted: JSON.stringify(expected) })
}

await t.test('reading 12: PUT replaces everything but the fields of the server; every other name comes back, at any depth', async (t) => {
  const { app, send: ask, get, put, act, pass } = await newPublisher(t)
  await put({ ...OFFER, gone: true })
  // Names that mean something to JavaScript, or to a schema.
  const odd = {
    constructor: { prototype: { a: 1 } },
    toString: 5,
    hasOwnProperty: null,
    toJSON: 'x',
    length: 0,
    valueOf: [],
    $ref: '#/nowhere',
    $id: 'x',
    then: 'y',
    '': 'empty',
    7: 'number',
    'a/b~c': { 'd.e': 1 }
  }
  const content = {
    ...odd,
    note: ODD_TEXT,
    definition: {
      ...odd,
      ...OWNED,
      id: 'kept',
      publisherId: 5,
      eTag: 'kept',
      offerTypeVersions: 'kept',
      displayText: ODD_TEXT,
      offer: {
        ...odd,
        'microsoft-azure-marketplace.categoryMap': [{ categoryL1: 'a', 'categoryL2-a': ['b'] }],
        tableLeadConfiguration: {},
        numbers: [0, -1.5, 5e-324, 1.7976931348623157e308, 9007199254740991, '5', 'true', null]
      },
      plans: [
        {
          ...odd,
          planId: ODD_TEXT,
          virtualMachinePricing: { isByol: true, coreMultiplier: { currency: 'USD', single: 1.1 } },
          'microsoft-azure-corevm.vmImagesPublicAzure': {
            '2031.04.02': { osVhdUrl: 'https://example.org/a.vhd', lunVhdDetails: [], showInGui: true }
          },
          diskGenerations: [{ planId: 'gen2', deep: [[[{}]]] }]
        }
      ]
    }
  }
  const document = JSON.stringify({
    ...content,
    ...OWNED,
    offerTypeId: TYPE,
    id: 'tide-db',
    publisherId: 'contoso',
    offerTypeVersions: { a: 87 }
  })
  const headers = { 'if-match': '*', 'content-type': 'application/json' }
  const saved = await send(app, 'PUT', offersUrl('/tide-db'), headers, document)
  const shown = {
    ...content,
    offerTypeId: TYPE,
    id: 'tide-db',
    publisherId: 'contoso',
    status: 'neverPublished',
    version: 0,
    changedTime: '2031-04-02T09:15:06.9870000Z'
  }
  same(t, saved.json(), shown)
  same(t, await get('/tide-db'), shown)
  same(t, await get('/tide-db/slot/DRAFT'), shown)

  await act('publish')
  pass(TO_SIGN_OFF)
  const published = { ...shown, status: 'waitingForPublisherReview', version: 1 }
  for (const path of ['', '/versions/1', '/slot/preview']) same(t, await get(`/tide-db${path}`), published, path)
  // GET gives a document that PUT leaves as it is.
  t.equal((await ask('PUT', '/tide-db', { 'if-match': '*' }, published)).statusCode, 200)
  same(t, await get('/tide-db'), { ...published, changedTime: '2031-04-02T09:15:10.9870000Z' })

  // What JavaScript would change is refused, and numbers come back in value, not in form.
  const changes = ['"n":9007199254740993', '"n":0.1234567890123456789', '"n":1,"n":1', '"n":[{"a":1,"\\u0061":2}]']
  for (const change of changes) {
    const refused = await send(app, 'PUT', offersUrl('/tide-db'), headers, `{"offerTypeId":"${TYPE}",${change}}`)
    t.strictSame([refused.statusCode, codeOf(t, refused)], [400, 'BadRequest'], change)
    t.match(refused.json().error.message, /^body\/n/)
  }
  const numbers = await send(app, 'PUT', offersUrl('/tide-db'), headers, `{"offerTypeId":"${TYPE}","n":[1.10,1e2,-0]}`)
  t.strictSame(numbers.json().n, [1.1, 100, 0])
})

await t.test('reading 13: 201 for a PUT that created, 200 for one that replaced', async (t) => {
  const { send } = await newPublisher(t)
  const statuses: number[] = []
  const put = async (path: string, headers: Record<string, string>): Promise<void> => {
    statuses.push((await send('PUT', path, headers, OFFER)).statusCode)
  }
  await put('/tide-db', { 'if-match': '*' })
  await put('/tide-db', { 'if-match': '*' })
  await put('/tide-db', { 'if-match': (await send('GET', '/tide-db')).headers.etag as string })
  await put('/other', { 'if-none-match': '*' })
  t.strictSame(statuses, [201, 200, 200, 201])
})

await t.test('reading 14: $filter has one form, and any other is 400; a list is ordered by id', async (t) => {
  const app = await newApp(t)
  const list = async (...filters: string[]) => {
    const queries = filters.map((filter) => `&$filter=${encodeURIComponent(filter)}`)
    return await send(app, 'GET', offersUrl('', `api-version=2017-10-31${queries.join('')}`))
  }
  const ids = async (...filters: string[]) => (await list(...filters)).json().map(({ id }: { id: string }) => id)
  for (const [id, offerTypeId] of [['b', TYPE], ['a-2', "it's"], ['a', TYPE], ['a-10', 'microsoft-azure-corevm']]) {
    await send(app, 'PUT', offersUrl(`/${id}`), { 'if-match': '*' }, { offerTypeId })
  }
  t.strictSame(await ids(), ['a', 'a-10', 'a-2', 'b'])
  t.strictSame(await ids(`offerTypeId eq '${TYPE}'`), ['a', 'b'])
  t.strictSame(await ids("offerTypeId eq 'it''s'"), ['a-2'])
  t.strictSame(await ids("offerTypeId eq 'none'"), [])
  for (const filter of [
    '',
    'x',
    "offerTypeId eq 'it's'",
    'offerTypeId eq "x"',
    "offerTypeId ne 'x'",
    "id eq 'a'",
    "offerTypeId eq 'x' or true",
    "OFFERTYPEID eq 'x'",
    "offerTypeId eq 'x",
    "' or 1 eq 1"
  ]) {
    const refused = await list(filter)
    t.strictSame([refused.statusCode, codeOf(t, refused)], [400, 'BadRequest'], filter)
  }
  const twice = await list("offerTypeId eq 'a'", "offerTypeId eq 'a'")
  t.strictSame([twice.statusCode, codeOf(t, twice)], [400, 'BadRequest'])
})

await t.test('reading 15: a PUT while a publication runs changes the draft alone', async (t) => {
  const { get, put, act, pass } = await newPublisher(t)
  await put()
  await act('publish')
  const edited = { ...OFFER, definition: { ...OFFER.definition, displayText: 'Tide DB 2' } }
  await put(edited)
  t.match(await get('/tide-db'), { status: 'running', version: 1, definition: { displayText: 'Tide DB 2' } })
  t.match(await get('/tide-db/status'), { status: 'running' })
  t.match(await get('/tide-db/versions/1'), { definition: { displayText: 'Tide DB' } })
  pass(TO_SIGN_OFF)
  t.match(await get('/tide-db/slot/preview'), {
    status: 'waitingForPublisherReview',
    definition: { displayText: 'Tide DB' }
  })
  await put({ ...edited, third: true })
  await act('golive')
  pass(1)
  t.match(await get('/tide-db/slot/production'), { version: 1, definition: { displayText: 'Tide DB' } })
  t.match(await get('/tide-db'), { status: 'succeeded', third: true, definition: { displayText: 'Tide DB 2' } })
})
