import { Type, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { InvalidAdapterError, InvalidOptionsError } from './errors.js'
import type { Compare } from './http/precondition.js'
import type { OnRefused, Representation, ResendOptions } from './option-functions.js'
import type { IfMatchOptions, IfMatchRouteOptions } from './options.js'
import type { StorageAdapter } from './storage/adapter.js'
import { flawOfAdapter } from './storage/kit/adapter-shape.js'
import { kindOf, unknownName } from './storage/kit/flaws.js'

/** The options of a route, with the defaults filled in. */
export interface Settings {
  storage: StorageAdapter
  key: IfMatchRouteOptions['key'] | undefined
  missing: NonNullable<IfMatchRouteOptions['missing']>
  create: false | 'if-none-match' | 'wildcard'
  absent: 404 | 412
  compare: Compare
  precheck: boolean
  notModified: 'late' | 'early'
  variant: IfMatchRouteOptions['variant'] | undefined
  resend: false | ResendOptions
  representation: false | Representation
  onRefused: OnRefused | undefined
}

const Callback = Type.Function([], Type.Any())

// The description of an option says in the error what it must be.
const RouteOptionsSchema = Type.Object({
  storage: Type.Unknown(),
  key: Type.Union([Type.String({ minLength: 1 }), Callback], {
    description: 'a pattern such as "/offers/:id" or a function of the request'
  }),
  missing: Type.Union([Type.Literal(400), Type.Literal(428), Type.Literal('allow'), Type.Literal('warn'), Callback], {
    description: '400, 428, "allow", "warn" or a function of the request'
  }),
  create: Type.Union([Type.Literal(false), Type.Literal('if-none-match'), Type.Literal('wildcard')], {
    description: 'false, "if-none-match" or "wildcard"'
  }),
  absent: Type.Union([Type.Literal(404), Type.Literal(412)], { description: '404 or 412' }),
  compare: Type.Union([Type.Literal('strong'), Type.Literal('opaque'), Callback], {
    description: '"strong", "opaque" or a function that takes and returns { opaque, weak }'
  }),
  precheck: Type.Boolean({ description: 'true or false' }),
  notModified: Type.Union([Type.Literal('late'), Type.Literal('early')], { description: '"late" or "early"' }),
  variant: Type.Function([], Type.Any(), { description: 'a function of the request and the reply' }),
  resend: Type.Union([Type.Literal(false), Type.Object({ caller: Callback }, { additionalProperties: false })], {
    description: 'false or { caller }, a function that returns who sends a request'
  }),
  representation: Type.Union([Type.Literal(false), Callback], {
    description: 'false or a function of the entity, the request and the reply'
  }),
  onRefused: Type.Function([], Type.Any(), { description: 'a function of the request, the reply and the error' })
})

const PluginOptionsSchema = Type.Object({
  ...RouteOptionsSchema.properties,
  global: Type.Union([Type.Boolean(), Type.Array(Type.Unknown()), Callback], {
    description: 'true, false, a list of methods or a function of the route'
  }),
  decorator: Type.String({ minLength: 1, description: 'a name such as "entity"' })
})

type OptionsSchema = typeof RouteOptionsSchema | typeof PluginOptionsSchema

/** The names of the options of the plugin. */
export const IF_MATCH_OPTIONS = Object.keys(PluginOptionsSchema.properties)

// Fastify itself adds these to the options of register().
const OF_REGISTER = ['prefix', 'logLevel', 'logSerializers']

const DEFAULTS = {
  key: undefined,
  missing: 400,
  create: 'if-none-match',
  absent: 404,
  compare: 'strong',
  precheck: true,
  notModified: 'late',
  variant: undefined,
  resend: false,
  representation: false,
  onRefused: undefined
} as const

/**
 * Checks the options of the plugin and fills in the defaults.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS, FST_IF_MATCH_INVALID_ADAPTER
 */
export function pluginSettings (options: IfMatchOptions): Settings {
  const own = Object.entries(options).filter(([name]) => !OF_REGISTER.includes(name))
  check(PluginOptionsSchema, Object.fromEntries(own), 'the plugin')
  assertAdapter(options.storage, 'the plugin')
  return merge({ ...DEFAULTS, storage: options.storage }, options)
}

/**
 * Checks the options of a route, `config.ifMatch`, and lays them over those of the plugin.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS, FST_IF_MATCH_INVALID_ADAPTER
 */
export function routeSettings (inherited: Settings, options: unknown, route: string): Settings {
  if (options === true || options === undefined) return inherited
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionsError(
      route,
      `"ifMatch" must be true, false or an object of options, and is ${shown(options)}. ${SEE}`
    )
  }
  check(RouteOptionsSchema, options, route)
  const own = options as IfMatchRouteOptions
  if (own.storage !== undefined) assertAdapter(own.storage, route)
  return merge(inherited, own)
}

function merge (inherited: Settings, own: IfMatchRouteOptions): Settings {
  return {
    storage: own.storage ?? inherited.storage,
    key: own.key ?? inherited.key,
    missing: own.missing ?? inherited.missing,
    create: own.create ?? inherited.create,
    absent: own.absent ?? inherited.absent,
    compare: own.compare ?? inherited.compare,
    precheck: own.precheck ?? inherited.precheck,
    notModified: own.notModified ?? inherited.notModified,
    variant: own.variant ?? inherited.variant,
    resend: own.resend ?? inherited.resend,
    representation: own.representation ?? inherited.representation,
    onRefused: own.onRefused ?? inherited.onRefused
  }
}

const SEE = 'See docs/reference/options.md.'

function check (schema: OptionsSchema, options: object, where: string): void {
  const properties: Record<string, TSchema> = schema.properties
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(properties, name)) {
      const advice = IF_MATCH_OPTIONS.includes(name)
        ? `"${name}" is an option of the plugin alone.`
        : unknownName(name, Object.keys(properties))
      throw new InvalidOptionsError(where, `${advice} ${SEE}`)
    }
    if (value === undefined || Value.Check(properties[name]!, value)) continue
    throw new InvalidOptionsError(
      where,
      `"${name}" must be ${properties[name]!.description}, and is ${shown(value)}. ${SEE}`
    )
  }
}

// Unlike the options of an adapter, these have no secrets.
function shown (value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'object' || typeof value === 'function' ? kindOf(value) : String(value)
}

function assertAdapter (storage: unknown, where: string): void {
  const flaw = flawOfAdapter(storage)
  if (flaw !== undefined) throw new InvalidAdapterError(`of ${where} ${flaw}`)
}
