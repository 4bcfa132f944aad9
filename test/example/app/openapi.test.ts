import t, { type Test } from 'tap'
import type { AppOptions } from '../../../example/app/index.js'
import { DEVELOPMENT_TOKENS, parseTokens } from '../../../example/app/tokens.js'
import { newApp } from '../../support/example/app.js'
import { checkDocument, headersOf, type Document, type Operation } from '../../support/openapi.js'

const P = '/api/publishers/{publisherId}/offers'
const O = `${P}/{offerId}`
const ERROR = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
const ACTIONS = ['publish', 'golive', 'cancel'].map((action) => `${O}/${action}`)

type DescribedOperation = Operation & { security?: unknown, tags: string[] }

/** The document of the reference server as a client gets it. */
async function documentOf (t: Test, options: Partial<AppOptions> = {}): Promise<Document> {
  const app = await newApp(t, options)
  return (await app.inject('/docs/json')).json()
}

function operationsOf ({ paths }: Document): Array<[string, string, Operation]> {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): [string, string, Operation] => [method, path, operation])
  )
}

await t.test('openapi: the document is valid OpenAPI 3.0, served without a token, and has every route', async (t) => {
  const document = await documentOf(t)
  await checkDocument(t, document, '3.0')
  t.strictSame(operationsOf(document).map(([method, path]) => `${method} ${path}`).sort(), [
    'get /api/offerTypes',
    'get /api/operations/{compositeId}',
    'get /api/publishers',
    `get ${P}`,
    `get ${O}`,
    `get ${O}/operations/{operationId}`,
    `get ${O}/slot/{slotId}`,
    `get ${O}/status`,
    `get ${O}/submissions`,
    `get ${O}/versions/{version}`,
    'get /health',
    `put ${O}`,
    ...ACTIONS.map((path) => `post ${path}`)
  ].sort())
})

await t.test('openapi: each route of the API asks for a bearer token and the version, and describes its success and its errors', async (t) => {
  for (const [method, path, operation] of operationsOf(await documentOf(t))) {
    const { security, tags, parameters = [], responses } = operation as DescribedOperation
    const required = parameters
      .filter((parameter) => parameter.in === 'query' && parameter.required === true)
      .map(({ name }) => name)
    const isOfApi = path !== '/health'
    t.strictSame(
      [security, tags, required],
      isOfApi ? [[{ bearer: [] }], ['Offers'], ['api-version']] : [undefined, ['Server'], []],
      `${method} ${path}`
    )
    const successes = Object.keys(responses).filter((status) => status.startsWith('2'))
    const haveBodies = successes.every((status) => responses[status]!.content?.['application/json'])
    t.ok(successes.length > 0 && haveBodies, 'a success with a body')
    t.strictSame(responses.default!.content, ERROR)
  }
})

await t.test('openapi: guarded routes show their headers, ETag, and 304, 400 and 412 in the form of every error (reading 30), and no other does', async (t) => {
  const document = await documentOf(t)
  const guarded = new Map(
    operationsOf(document)
      .filter(([, , operation]) => Object.keys(headersOf(operation)).length > 0)
      .map(([method, path, operation]) => [`${method} ${path}`, operation])
  )
  t.strictSame([...guarded.keys()].sort(), [`get ${O}`, `put ${O}`, ...ACTIONS.map((path) => `post ${path}`)].sort())
  t.strictSame(headersOf(guarded.get(`get ${O}`)), { 'If-Match': false, 'If-None-Match': false })
  t.strictSame(headersOf(guarded.get(`put ${O}`)), { 'If-Match': false, 'If-None-Match': false })
  for (const path of ACTIONS) t.strictSame(headersOf(guarded.get(`post ${path}`)), { 'If-Match': true }, path)
  t.ok(guarded.get(`get ${O}`)!.responses['304'])
  for (const [name, { responses }] of guarded) {
    for (const status of ['400', '412']) {
      t.strictSame(responses[status]!.content, ERROR, `${name} ${status}`)
    }
    const tagged = Object.keys(responses).filter((status) => status.startsWith('2') || status === '412')
    for (const status of tagged) t.ok(responses[status]!.headers?.ETag, `${name} ${status}`)
  }
})

await t.test('openapi: a 202 shows where the operation is followed (reading 24), and no other answer does', async (t) => {
  const accepted = new Map<string, string[]>()
  for (const [method, path, { responses }] of operationsOf(await documentOf(t))) {
    for (const [status, { headers = {} }] of Object.entries(responses)) {
      const names = Object.keys(headers).filter((name) => /location/i.test(name))
      if (names.length > 0) accepted.set(`${method} ${path} ${status}`, names)
    }
  }
  t.strictSame(accepted, new Map(ACTIONS.map((path) => [`post ${path} 202`, ['Location', 'Operation-Location']])))
})

await t.test('openapi: each operation has a name, documents have theirs, and the actions do without a body', async (t) => {
  const document = await documentOf(t) as Document & { components: { schemas: object } }
  const operations = operationsOf(document).map(
    ([, , operation]) => operation as Operation & { operationId: string, requestBody?: { required: boolean } }
  )
  t.strictSame(operations.map(({ operationId }) => operationId).sort(), [
    'cancelOffer',
    'getCompositeOperation',
    'getHealth',
    'getOffer',
    'getOfferSlot',
    'getOfferStatus',
    'getOfferVersion',
    'getOperation',
    'goLiveOffer',
    'listOfferTypes',
    'listOffers',
    'listPublishers',
    'listSubmissions',
    'publishOffer',
    'putOffer'
  ])
  t.strictSame(Object.keys(document.components.schemas).sort(), [
    'Error',
    'Message',
    'Offer',
    'OfferDocument',
    'OfferSummary',
    'Operation',
    'Status',
    'Step',
    'SubmissionSummary'
  ])
  const bodies = operations.flatMap(({ operationId, requestBody }) =>
    requestBody === undefined ? [] : [[operationId, requestBody.required]]
  )
  t.strictSame(bodies.sort(), [
    ['cancelOffer', false],
    ['goLiveOffer', false],
    ['publishOffer', false],
    ['putOffer', true]
  ])
})

await t.test('openapi: with ACTIONS_IF_MATCH=optional the header is not required there', async (t) => {
  const document = await documentOf(t, { actionsIfMatch: 'optional' })
  for (const path of ACTIONS) t.strictSame(headersOf(document.paths[path]!.post), { 'If-Match': false }, path)
})

await t.test('openapi: the page is served at /docs, and its policy lets it run its own files alone', async (t) => {
  const app = await newApp(t)
  for (const url of [
    '/docs',
    '/docs/',
    '/docs/static/swagger-ui-bundle.js',
    '/docs/static/swagger-initializer.js',
    '/docs/static/swagger-ui.css',
    '/docs/yaml'
  ]) {
    const { statusCode, headers } = await app.inject(url)
    t.equal(statusCode, 200, url)
    t.match(headers['content-security-policy'], /default-src 'none'; script-src 'self';/, url)
  }
  t.notMatch((await app.inject('/docs/')).body, /<script(?![^>]* src=)|<style| on[a-z]+=/, 'nothing inline')
})

await t.test('openapi: the page names the development tokens that are in use, and no other token', async (t) => {
  const described = async (tokens: string): Promise<string> => {
    const document = await documentOf(t, { tokens: parseTokens(tokens) })
    return (document as Document & { info: { description: string } }).info.description
  }
  t.match(await described(DEVELOPMENT_TOKENS), /brackets: `dev-contoso` \(contoso\), `dev-fabrikam` \(fabrikam\)\.$/)
  const mixed = await described('hush=wingtip:owner,dev-contoso=contoso:owner+wingtip:owner')
  t.match(mixed, /brackets: `dev-contoso` \(contoso, wingtip\)\.$/)
  for (const text of [mixed, await described('hush=contoso:owner')]) t.notMatch(text, /hush/)
  t.notMatch(await described('hush=contoso:owner'), /[Dd]evelopment/)
})
