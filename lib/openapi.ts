import type { FastifySchema, RouteOptions } from 'fastify'
import './augment.js'
import { answersNotModified, methodKind } from './http/method.js'
import { kGuard } from './request/symbols.js'
import { isGuarded, methodsOf, type GuardedRoute } from './route/guard.js'

/** The part that `transform` uses of what `@fastify/swagger` passes to it. */
export interface TransformInput {
  schema?: FastifySchema | undefined
  url: string
  route: Pick<RouteOptions, 'method' | 'config'>
}

/** What `@fastify/swagger` makes an operation of. */
export interface TransformResult {
  schema: FastifySchema
  url: string
}

type Schema = Record<string, unknown> & {
  properties?: Record<string, object>
  required?: readonly string[]
  headers?: Record<string, object>
}

/** A guarded route, as the document describes it. */
interface Guarded {
  readonly guard: GuardedRoute
  /** Its methods that read under preconditions. */
  readonly reads: readonly string[]
  /** Its methods that write under preconditions. */
  readonly writes: readonly string[]
  /** Its methods by which a request may create: it may name `If-None-Match: *` in place of `If-Match`. */
  readonly creates: readonly string[]
  /** Whether every method of the route needs `If-Match`. */
  readonly isRequired: boolean
  /**
   * Whether the route has several methods: @fastify/swagger makes one operation of them, so the texts name the methods.
   */
  readonly isMixed: boolean
}

const COMBINATORS = ['allOf', 'anyOf', 'oneOf'] as const
const isSuccess = (status: string): boolean => status.startsWith('2')
const ETAG = { ETag: { type: 'string', description: 'The version of the entity. It goes into If-Match as it is' } }

/**
 * The option `transform` of `@fastify/swagger`: guarded routes show the headers `If-Match` and `If-None-Match`, the
 * answers 304, 400, 412 and 428 and the header `ETag`. What a route describes itself stays, its schema object is not
 * touched, and neither validation nor serialisation change. Other routes come back as they are.
 *
 * @param input `{ schema, url, route }` of a route; a transform of your own calls this one with the schema that it made
 * @returns `{ schema, url }`, with another schema for a guarded route
 * @see docs/reference/openapi.md, and RFC 9110 13.1 and 13.2.2 for the headers and the answers
 * @example
 * import { transform } from 'fastify-if-match/openapi'
 * await app.register(swagger, { openapi: { info: { title: 'Offers', version: '1.0.0' } }, transform })
 */
export function transform ({ schema = {}, url, route }: TransformInput): TransformResult {
  const guarded = guardedPart(route)
  if (guarded === undefined || (schema as { hide?: boolean }).hide === true) return { schema, url }
  return {
    schema: {
      ...schema,
      headers: withParameters(schema.headers as Schema | undefined, guarded),
      response: withAnswers(schema.response as Record<string, Schema> | undefined, guarded)
    },
    url
  }
}

function guardedPart (route: TransformInput['route']): Guarded | undefined {
  const guard = route.config?.[kGuard]
  if (guard === undefined) return undefined
  const methods = methodsOf(route)
  const guarded = methods.filter((method) => isGuarded(guard, method))
  const reads = guarded.filter((method) => methodKind(method) === 'read')
  const writes = guarded.filter((method) => methodKind(method) === 'write')
  if (reads.length + writes.length === 0) return undefined
  const creates = writes.filter(guard.mayCreate)
  const refuses = typeof guard.settings.missing === 'number'
  const isRequired = writes.length === methods.length && refuses && creates.length === 0
  return { guard, reads, writes, creates, isRequired, isMixed: methods.length > 1 }
}

function withParameters (own: Schema | undefined, guarded: Guarded): Schema | undefined {
  const named = namesIn(own)
  const properties: Record<string, object> = {}
  for (const [name, texts] of Object.entries(parameterTexts(guarded))) {
    if (texts.length === 0 || named.has(name.toLowerCase())) continue
    properties[name] = { type: 'string', description: texts.join(' ') }
  }
  const required = guarded.isRequired && 'If-Match' in properties ? ['If-Match'] : []
  const added = { type: 'object', properties, required }
  if (own === undefined) return added
  // Of a schema with one of these keywords, @fastify/swagger reads the members, and of any other one the properties.
  if (['$ref', ...COMBINATORS].some((keyword) => keyword in own)) return { allOf: [own, added] }
  return { ...own, properties: { ...own.properties, ...properties }, required: [...own.required ?? [], ...required] }
}

/** The headers that a schema names, in lower case. */
function namesIn (schema: Schema | undefined): Set<string> {
  const names = Object.keys(schema?.properties ?? {}).map((name) => name.toLowerCase())
  const members = COMBINATORS.flatMap((keyword) => schema?.[keyword] as Schema[] | undefined ?? [])
  return new Set([...names, ...members.flatMap((member) => [...namesIn(member)])])
}

/** The sentences that describe the two headers; none: the header means nothing to the route. */
function parameterTexts (guarded: Guarded): Record<'If-Match' | 'If-None-Match', string[]> {
  const { guard: { settings }, reads, writes, creates, isRequired, isMixed } = guarded
  const ifMatch: string[] = []
  const ifNoneMatch: string[] = []
  const by = (methods: readonly string[]): string => isMixed ? `${methods.join(', ')}: ` : ''
  if (writes.length > 0) {
    ifMatch.push(`${by(writes)}The ETag of the version to change, quotes included, or \`*\`: the last one wins.`)
    if (creates.length > 0 && settings.create === 'wildcard') ifMatch.push('`*` creates, too.')
    if (typeof settings.missing === 'string') ifMatch.push('Without it the last one wins.')
    else if (typeof settings.missing === 'function') ifMatch.push('Some clients must send it.')
    else if (creates.length > 0) ifMatch.push(`Required, unless a ${creates.join(' or ')} sends \`If-None-Match: *\`.`)
    else if (!isRequired) ifMatch.push('Required.')
  }
  if (reads.length > 0) ifMatch.push(`${by(reads)}An ETag; 412 if it is not the current one.`)
  if (creates.length > 0) ifNoneMatch.push(`${by(creates)}\`*\` creates; 412 if there is something already.`)
  const cached = reads.filter(answersNotModified)
  if (cached.length > 0) ifNoneMatch.push(`${by(cached)}The ETag of a copy; 304 if it is the current one.`)
  return { 'If-Match': ifMatch, 'If-None-Match': ifNoneMatch }
}

function withAnswers (own: Record<string, Schema> = {}, guarded: Guarded): Record<string, Schema> {
  const { guard: { settings: { missing } }, reads, writes } = guarded
  const mayRefuseBy = (status: 400 | 428): boolean =>
    writes.length > 0 && (missing === status || typeof missing === 'function')
  const response = { ...own }
  const add = (status: string, description: string): void => {
    response[status] ??= described(inheritedFor(own, status), description)
  }
  if (!Object.keys(own).some(isSuccess)) add('200', 'Default Response')
  if (reads.some(answersNotModified)) add('304', 'The copy that If-None-Match names is the current version')
  if (mayRefuseBy(400)) add('400', 'If-Match is missing, or a precondition cannot be read')
  else add('400', 'A precondition cannot be read')
  if (mayRefuseBy(428)) add('428', 'If-Match is missing')
  add('412', 'The precondition is false: the entity is not as the request expects it. Read it again')
  // The success of a removal has no tag (RFC 9110 9.3.5).
  const hasTag = [...reads, ...writes].some((method) => method !== 'DELETE')
  for (const [status, schema] of Object.entries(response)) {
    if (status === '412' || status === '304' || (hasTag && isSuccess(status))) response[status] = tagged(schema)
  }
  return response
}

/** The schema by which Fastify serialises a status that the route does not list; a 304 has no body to serialise. */
function inheritedFor (own: Record<string, Schema>, status: string): Schema | undefined {
  if (status === '304') return undefined
  const find = (range: string): Schema | undefined =>
    own[Object.keys(own).find((key) => key.toLowerCase() === range) ?? '']
  return find(`${status[0]}xx`) ?? find('default')
}

/** An answer that the plugin gives. The app's error handler makes its body, so only the route can say its schema. */
function described (schema: Schema | undefined, description: string): Schema {
  if (schema === undefined) return { type: 'null', description }
  // The description in a schema is about the body. Beside a $ref no other keyword than that is read.
  return { ...schema, [schema.$ref === undefined ? 'x-response-description' : 'description']: description }
}

function tagged (schema: Schema): Schema {
  const { headers = {} } = schema
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'etag')) return schema
  return { ...schema, headers: { ...headers, ...ETAG } }
}
