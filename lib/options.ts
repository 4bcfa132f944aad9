import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifyRequest } from 'fastify'
import { InvalidAdapterError, InvalidOptionsError } from './errors.js'
import type { Compare } from './http/precondition.js'
import type { StorageAdapter } from './storage/adapter.js'

/** What a route may say in `config.ifMatch`, and the options of the plugin for all its routes. Those of a route win. */
export interface IfMatchRouteOptions {
  /** The storage adapter. Required with the plugin. */
  storage?: StorageAdapter<any>
  /**
   * Which entity a route acts on: a pattern over its parameters, such as `'/offers/:id'`, or a function of the request.
   * Default: the pattern of the route. In a pattern, each decoded parameter goes through `encodeURIComponent`. The
   * string that a function returns is the key as it is.
   */
  key?: string | ((request: FastifyRequest) => string)
  /**
   * The answer to a state-changing request without `If-Match`: 400 (default) or 428 (RFC 6585). With `'allow'` such a
   * request writes without a comparison, the last write wins, and a PUT creates unless `create` is `false`.
   */
  missing?: 400 | 428 | 'allow'
  /**
   * Which request may create: none (`false`), one with `If-None-Match: *` (`'if-none-match'`, default), or one with
   * `If-Match: *` too (`'wildcard'`, a deviation from RFC 9110 13.1.1). The option of the plugin is about PUT alone.
   * That of a route is about all its state-changing methods but DELETE.
   */
  create?: false | 'if-none-match' | 'wildcard'
  /** The answer to `If-Match` if the entity is absent and the route may not create it: 404 (default) or 412. */
  absent?: 404 | 412
  /**
   * How the tags of a request are compared: `'strong'` (default, RFC 9110 8.8.3.2); `'opaque'` accepts in `If-Match`
   * tags that a gateway marked weak; a function returns each tag without what a gateway appended. The latter two
   * deviate from the RFC.
   */
  compare?: Compare
  /**
   * Whether to compare before the handler runs, which costs a read (default `true`). The write decides in any case.
   * `false` keeps 404, 412 and the tag behind checks of permission that are inside the handler.
   */
  precheck?: boolean
}

/** The options of the plugin. */
export interface IfMatchOptions extends IfMatchRouteOptions {
  storage: StorageAdapter<any>
  /** Whether to guard every route of the scope with a state-changing method, but those with `config.ifMatch: false`. */
  global?: boolean
}

/** The options of a route, with the defaults filled in. */
export interface Settings {
  storage: StorageAdapter
  key: IfMatchRouteOptions['key'] | undefined
  missing: 400 | 428 | 'allow'
  create: false | 'if-none-match' | 'wildcard'
  absent: 404 | 412
  compare: Compare
  precheck: boolean
}

const Callback = Type.Function([], Type.Any())

const RouteOptionsSchema = Type.Object({
  storage: Type.Optional(Type.Any()),
  key: Type.Optional(Type.Union([Type.String({ minLength: 1 }), Callback])),
  missing: Type.Optional(Type.Union([Type.Literal(400), Type.Literal(428), Type.Literal('allow')])),
  create: Type.Optional(Type.Union([Type.Literal(false), Type.Literal('if-none-match'), Type.Literal('wildcard')])),
  absent: Type.Optional(Type.Union([Type.Literal(404), Type.Literal(412)])),
  compare: Type.Optional(Type.Union([Type.Literal('strong'), Type.Literal('opaque'), Callback])),
  precheck: Type.Optional(Type.Boolean())
}, { additionalProperties: false })

/** The names of the options of the plugin. */
export const IF_MATCH_OPTIONS = [...Object.keys(RouteOptionsSchema.properties), 'global']

const PluginOptionsSchema = Type.Object({
  ...RouteOptionsSchema.properties,
  global: Type.Optional(Type.Boolean()),
  // Fastify itself adds these to the options of register().
  prefix: Type.Optional(Type.Any()),
  logLevel: Type.Optional(Type.Any()),
  logSerializers: Type.Optional(Type.Any())
}, { additionalProperties: false })

const DEFAULTS = {
  key: undefined,
  missing: 400,
  create: 'if-none-match',
  absent: 404,
  compare: 'strong',
  precheck: true
} as const

/**
 * Checks the options of the plugin and fills in the defaults.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS, FST_IF_MATCH_INVALID_ADAPTER
 */
export function pluginSettings (options: IfMatchOptions): Settings {
  check(PluginOptionsSchema, options, 'the plugin')
  checkAdapter(options.storage)
  return merge({ ...DEFAULTS, storage: options.storage }, options)
}

/**
 * Checks the options of a route, `config.ifMatch`, and lays them over those of the plugin.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS, FST_IF_MATCH_INVALID_ADAPTER
 */
export function routeSettings (inherited: Settings, options: unknown, route: string): Settings {
  if (options === true || options === undefined) return inherited
  check(RouteOptionsSchema, options, route)
  const own = options as IfMatchRouteOptions
  if (own.storage !== undefined) checkAdapter(own.storage)
  return merge(inherited, own)
}

function merge (
  inherited: Settings,
  { storage, key, missing, create, absent, compare, precheck }: IfMatchRouteOptions
): Settings {
  return {
    storage: storage ?? inherited.storage,
    key: key ?? inherited.key,
    missing: missing ?? inherited.missing,
    create: create ?? inherited.create,
    absent: absent ?? inherited.absent,
    compare: compare ?? inherited.compare,
    precheck: precheck ?? inherited.precheck
  }
}

function check (schema: typeof RouteOptionsSchema | typeof PluginOptionsSchema, options: unknown, where: string): void {
  const flaw = Value.Errors(schema, options).First()
  if (flaw === undefined) return
  const name = flaw.path === '' ? 'they' : `"${flaw.path.slice(1)}"`
  throw new InvalidOptionsError(where, `${name}: ${flaw.message.toLowerCase()}. See docs/reference/options.md.`)
}

function checkAdapter (storage: unknown): void {
  const lacking = ['read', 'write', 'remove'].filter(
    (name) => typeof (storage as Record<string, unknown> | undefined | null)?.[name] !== 'function'
  )
  if (lacking.length > 0) {
    throw new InvalidAdapterError(
      `lacks ${lacking.join(', ')}. Pass one, such as memoryAdapter(), as the option "storage".`
    )
  }
}
