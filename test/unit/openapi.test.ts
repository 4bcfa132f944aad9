import type { FastifyInstance, FastifySchema, HTTPMethods } from 'fastify'
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import type { IfMatchRouteOptions } from 'fastify-if-match'
import { transform } from 'fastify-if-match/openapi'
import { documentOf, headersOf, textOf, type Answer, type DocumentOptions, type Operation } from '../support/openapi.js'

const Failure = Type.Object({ code: Type.String(), message: Type.String() })
const FAILURE = { 'application/json': { schema: JSON.parse(JSON.stringify(Failure)) as object } }

type Route = { method: HTTPMethods | HTTPMethods[], ifMatch?: IfMatchRouteOptions | boolean, schema?: FastifySchema }

/** What the document says about the last method of a route. */
async function operationOf (
  t: Test,
  { method, ifMatch, schema }: Route,
  options?: DocumentOptions,
  prepare?: (app: FastifyInstance) => void
): Promise<Operation> {
  const { document } = await documentOf(t, (app) => {
    prepare?.(app)
    app.route({
      method,
      url: '/offers/:id',
      ...(ifMatch !== undefined && { config: { ifMatch } }),
      ...(schema && { schema }),
      handler: async () => ({})
    })
  }, options)
  return document.paths['/offers/{id}']![[method].flat().at(-1)!.toLowerCase()]!
}

const namesOf = (headers: Answer['headers']): string[] => Object.keys(headers ?? {})
const tagsOf = ({ responses }: Operation): string[] =>
  Object.keys(responses).filter((status) => namesOf(responses[status]!.headers).includes('ETag'))

await t.test('writes show If-Match, required where nothing else names a strategy', async (t) => {
  for (const method of ['POST', 'PATCH', 'DELETE'] as const) {
    t.strictSame(headersOf(await operationOf(t, { method, ifMatch: true })), { 'If-Match': true }, method)
  }
  for (const ifMatch of [{ create: false }, { create: false, missing: 428 }] as const) {
    t.strictSame(headersOf(await operationOf(t, { method: 'PUT', ifMatch })), { 'If-Match': true })
  }
  for (const missing of ['allow', 'warn'] as const) {
    const optional = await operationOf(t, { method: 'PATCH', ifMatch: { missing } })
    t.strictSame(headersOf(optional), { 'If-Match': false }, missing)
    t.match(textOf(optional, 'If-Match'), /Without it the last one wins/)
  }
  const perRequest = await operationOf(t, { method: 'PATCH', ifMatch: { missing: () => 400 } })
  t.strictSame(headersOf(perRequest), { 'If-Match': false })
  t.match(textOf(perRequest, 'If-Match'), /Some clients must send it\.$/)
})

await t.test('a PUT that may create shows If-None-Match as well, and requires neither', async (t) => {
  const put = await operationOf(t, { method: 'PUT', ifMatch: true })
  t.strictSame(headersOf(put), { 'If-Match': false, 'If-None-Match': false })
  t.match(textOf(put, 'If-Match'), /Required, unless a PUT sends `If-None-Match: \*`/)
  t.notMatch(textOf(put, 'If-Match'), /creates, too/)
  t.match(textOf(put, 'If-None-Match'), /^`\*` creates/)
  const wildcard = await operationOf(t, { method: 'PUT', ifMatch: { create: 'wildcard' } })
  t.match(textOf(wildcard, 'If-Match'), /`\*` creates, too/)
})

await t.test('a PATCH or POST whose route sets create shows If-None-Match as well; the option of the plugin is about PUT', async (t) => {
  for (const method of ['PATCH', 'POST'] as const) {
    const creates = await operationOf(t, { method, ifMatch: { create: 'wildcard' } })
    t.strictSame(headersOf(creates), { 'If-Match': false, 'If-None-Match': false }, method)
    t.match(textOf(creates, 'If-Match'), new RegExp(`\`\\*\` creates, too.* unless a ${method} sends`))
    t.strictSame(headersOf(await operationOf(t, { method, ifMatch: true })), { 'If-Match': true }, method)
  }
  const removes = await operationOf(t, { method: 'DELETE', ifMatch: { create: 'wildcard' } })
  t.strictSame(headersOf(removes), { 'If-Match': true })
  const mixed = await operationOf(t, { method: ['PUT', 'PATCH', 'DELETE'], ifMatch: { create: 'if-none-match' } })
  t.match(textOf(mixed, 'If-Match'), /unless a PUT or PATCH sends `If-None-Match: \*`/)
  t.match(textOf(mixed, 'If-None-Match'), /^PUT, PATCH: `\*` creates/)
})

await t.test('GET and HEAD show both headers, neither required (RFC 9110 13.1.1, 13.1.2)', async (t) => {
  for (const method of ['GET', 'HEAD'] as const) {
    const operation = await operationOf(t, { method, ifMatch: true }, { swagger: { exposeHeadRoutes: true } })
    t.strictSame(headersOf(operation), { 'If-Match': false, 'If-None-Match': false }, method)
    t.match(textOf(operation, 'If-None-Match'), /^The ETag of a copy; 304/)
  }
})

await t.test('another safe method shows If-Match and 412, and no 304 (RFC 9110 13.2.2)', async (t) => {
  const search = await operationOf(t, { method: 'SEARCH', ifMatch: true }, {}, (app) => { app.addHttpMethod('SEARCH') })
  t.strictSame(headersOf(search), { 'If-Match': false })
  t.strictSame(Object.keys(search.responses), ['200', '400', '412'])
})

await t.test('GET shows 304 without a body, 412, and 400 for a field that cannot be read', async (t) => {
  const { responses } = await operationOf(t, { method: 'GET', ifMatch: true })
  t.strictSame(Object.keys(responses), ['200', '304', '400', '412'])
  t.strictSame(Object.values(responses).map(({ content }) => content), [undefined, undefined, undefined, undefined])
  t.equal(responses['400']!.description, 'A precondition cannot be read')
})

await t.test('writes show 400 and 412, 428 by option (RFC 6585 3), and no 304', async (t) => {
  const described = async (
    missing: NonNullable<IfMatchRouteOptions['missing']>,
    method: HTTPMethods = 'PUT'
  ): Promise<Record<string, string>> => {
    const { responses } = await operationOf(t, { method, ifMatch: { missing } })
    return Object.fromEntries(Object.entries(responses).map(([status, { description }]) => [status, description]))
  }
  const malformed = 'A precondition cannot be read'
  const others = {
    412: 'The precondition is false: the entity is not as the request expects it. Read it again',
    200: 'Default Response'
  }
  t.strictSame(await described(400), { 400: 'If-Match is missing, or a precondition cannot be read', ...others })
  t.strictSame(await described(428), { 400: malformed, 428: 'If-Match is missing', ...others })
  t.strictSame(await described('allow'), { 400: malformed, ...others })
  t.strictSame(await described('warn'), { 400: malformed, ...others })
  t.strictSame(await described(() => 'allow'), {
    400: 'If-Match is missing, or a precondition cannot be read',
    428: 'If-Match is missing',
    ...others
  }, 'a function of the request may answer either')
  t.notOk('428' in await described(() => 428, 'GET'))
})

await t.test('the header ETag is on 2xx, 304 and 412, and not on the success of a DELETE (RFC 9110 9.3.5)', async (t) => {
  const response = { 200: Failure, 201: Failure, 404: Failure }
  t.strictSame(tagsOf(await operationOf(t, { method: 'GET', ifMatch: true })), ['200', '304', '412'])
  const put = await operationOf(t, { method: 'PUT', ifMatch: true, schema: { response } })
  t.strictSame(tagsOf(put), ['200', '201', '412'])
  t.strictSame(tagsOf(await operationOf(t, { method: 'DELETE', ifMatch: true })), ['412'])
})

await t.test('the description of a status by the route stays, and a header that the route names is not doubled', async (t) => {
  const own = {
    type: 'object',
    description: 'Mine',
    properties: {},
    headers: { etag: { type: 'string', description: 'Mine' }, 'x-own': { type: 'string' } }
  }
  const { responses } = await operationOf(t, {
    method: 'GET',
    ifMatch: true,
    schema: {
      response: {
        200: own,
        304: { type: 'null', description: 'Mine' },
        400: own,
        412: { ...own, headers: { 'x-own': { type: 'string' } } }
      }
    }
  })
  t.strictSame(Object.keys(responses), ['200', '304', '400', '412'])
  for (const [status, answer] of Object.entries(responses)) t.equal(answer.description, 'Mine', status)
  t.strictSame(namesOf(responses['200']!.headers), ['etag', 'x-own'])
  t.strictSame(namesOf(responses['304']!.headers), ['ETag'])
  t.strictSame(namesOf(responses['412']!.headers), ['x-own', 'ETag'])
  t.ok(responses['412']!.content)
})

await t.test('a status that the route describes by a range, or by default, keeps that schema; a 304 has none', async (t) => {
  const content = { description: 'Problem', content: { 'application/problem+json': { schema: Failure } } }
  for (const range of ['4xx', '4XX', 'default']) {
    const schema = { response: { [range]: Failure } }
    const { responses } = await operationOf(t, { method: 'GET', ifMatch: true, schema })
    for (const status of ['400', '412']) t.strictSame(responses[status]!.content, FAILURE, `${range} ${status}`)
    t.equal(responses['400']!.description, 'A precondition cannot be read')
    t.strictSame(responses['200']!.content, range === 'default' ? FAILURE : undefined, 'as it is serialised')
    t.equal(responses['304']!.content, undefined)
    t.ok(responses[range.toUpperCase()] ?? responses[range], 'the range itself')
  }
  const { responses } = await operationOf(t, { method: 'PUT', ifMatch: true, schema: { response: { '4xx': content } } })
  t.strictSame(Object.keys(responses['412']!.content!), ['application/problem+json'])
})

await t.test('a range that refers to a shared schema goes on referring to it', async (t) => {
  const schema = { response: { '4xx': { $ref: 'failure#' } } }
  const addSchema = (app: FastifyInstance): void => { app.addSchema({ $id: 'failure', ...Failure }) }
  const { responses } = await operationOf(t, { method: 'PUT', ifMatch: true, schema }, {}, addSchema)
  t.strictSame(responses['412']!.content, { 'application/json': { schema: { $ref: '#/components/schemas/def-0' } } })
  t.match(responses['412']!.description, /^The precondition is false/)
})

await t.test('the headers that the route names stay, and are not doubled, whatever their case (RFC 9110 5.1)', async (t) => {
  const other = { type: 'object', properties: { 'x-trace': { type: 'string' } }, required: ['x-trace'] }
  const own = { type: 'object', properties: { 'if-match': { type: 'string', description: 'Mine' } } }
  const ask = async (headers: object): Promise<Record<string, boolean>> =>
    headersOf(await operationOf(t, { method: 'PATCH', ifMatch: true, schema: { headers } }))
  t.strictSame(await ask(other), { 'x-trace': true, 'If-Match': true })
  const optional = { type: 'object', properties: { 'x-trace': { type: 'string' } } }
  t.strictSame(await ask(optional), { 'x-trace': false, 'If-Match': true })
  t.strictSame(await ask({ type: 'object' }), { 'If-Match': true })
  t.strictSame(await ask({ allOf: [other] }), { 'x-trace': true, 'If-Match': true })
  t.strictSame(await ask({ ...other, allOf: [{ type: 'object' }] }), { 'x-trace': true, 'If-Match': true })
  t.strictSame(await ask(own), { 'if-match': false })
  t.strictSame(await ask({ type: 'object', properties: { 'If-Match': { type: 'string' } } }), { 'If-Match': false })
  t.strictSame(await ask({ allOf: [other, { anyOf: [own] }] }), { 'x-trace': true, 'if-match': false })
  const schema = { headers: { $ref: 'tracing#' } }
  const addSchema = (app: FastifyInstance): void => { app.addSchema({ $id: 'tracing', ...other }) }
  const shared = await operationOf(t, { method: 'PATCH', ifMatch: true, schema }, {}, addSchema)
  t.strictSame(headersOf(shared), { 'x-trace': true, 'If-Match': true })
})

await t.test('a route with several methods says which of them a header and its rule are about', async (t) => {
  const mixed = await operationOf(t, { method: ['GET', 'PUT', 'DELETE'], ifMatch: true })
  t.strictSame(headersOf(mixed), { 'If-Match': false, 'If-None-Match': false })
  t.match(textOf(mixed, 'If-Match'), /^PUT, DELETE: The ETag .* GET: An ETag/)
  t.match(textOf(mixed, 'If-None-Match'), /^PUT: .* GET: /)
  t.strictSame(Object.keys(mixed.responses), ['200', '304', '400', '412'])
  t.strictSame(tagsOf(mixed), ['200', '304', '412'])
  t.strictSame(headersOf(await operationOf(t, { method: ['PATCH', 'DELETE'], ifMatch: true })), { 'If-Match': true })
  const halfRequired = await operationOf(t, { method: ['GET', 'DELETE'], ifMatch: true })
  t.match(textOf(halfRequired, 'If-Match'), /^DELETE: .* Required\. GET: /)
})

await t.test('global: writes are described, reads of the same route are not, and false opts out', async (t) => {
  const options = { plugin: { global: true } }
  t.strictSame(headersOf(await operationOf(t, { method: 'DELETE' }, options)), { 'If-Match': true })
  t.strictSame(headersOf(await operationOf(t, { method: 'GET' }, options)), {})
  t.strictSame(headersOf(await operationOf(t, { method: 'DELETE', ifMatch: false }, options)), {})
  const mixed = await operationOf(t, { method: ['GET', 'DELETE'] }, options)
  t.strictSame(headersOf(mixed), { 'If-Match': false })
  t.notMatch(textOf(mixed, 'If-Match'), /GET/)
  t.equal(mixed.responses['304'], undefined)
})

await t.test('routes that are not guarded, that evaluate nothing, or that are hidden come back as they are (RFC 9110 13.2.1)', async (t) => {
  const seen: Array<[unknown, unknown]> = []
  await documentOf(t, (app) => {
    app.put('/plain', { schema: { response: { 200: Failure } } }, async () => ({}))
    app.put('/out', { config: { ifMatch: false }, schema: { body: Failure } }, async () => ({}))
    app.options('/none', { config: { ifMatch: true }, schema: { summary: 'none' } }, async () => ({}))
    app.put('/hidden', { config: { ifMatch: true }, schema: { hide: true } }, async () => ({}))
  }, {
    swagger: {
      transform (input) {
        const result = transform(input)
        seen.push([input.schema, result.schema])
        t.equal(result.url, input.url)
        return result
      }
    }
  })
  t.equal(seen.length, 4)
  for (const [before, after] of seen) t.equal(after, before)
  t.strictSame(transform({ url: '/bare', route: { method: 'GET' } }), { schema: {}, url: '/bare' })
})
