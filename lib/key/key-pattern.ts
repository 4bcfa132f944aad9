import { compileKey, isText, tokensOf } from './entity-key.js'
import { compileShape, decode, parametersIn } from './shape.js'
import { InvalidKeyError, InvalidOptionsError } from '../errors.js'
import { kindOf } from '../storage/kit/flaws.js'

/** What a key may have as a parameter. */
export type Param = string | number | bigint | boolean

/**
 * Makes of the text of a parameter what the app works with, such as a number. Its own text must be the one that it was
 * made of: of two texts for one id, one is no key.
 *
 * @throws FST_IF_MATCH_INVALID_KEY for a text that no key has
 */
export type Converter<V = Param> = (text: string) => V

/** Both ways between the parameters of a pattern and its keys. Each method works by itself: `toId: pattern.parse`. */
export interface KeyPattern<Params = Record<string, Param>, Parsed = Record<string, string>> {
  /**
   * Makes the key, exactly as a route with this pattern makes it, and as `entityKey` does.
   *
   * @throws FST_IF_MATCH_INVALID_OPTIONS (500), FST_IF_MATCH_INVALID_KEY (400) as `entityKey` does
   */
  readonly format: (params: Params) => string
  /**
   * The parameters of a key, decoded and converted. A parameter that may be left out, and is, has no name in them.
   *
   * @throws FST_IF_MATCH_INVALID_KEY (400) if the key is not of this pattern, in the one spelling that `format` makes:
   * `%2f` in place of `%2F`, a character that should be encoded, a bad escape, one more slash. So are an empty
   * parameter, one with U+0000, which no text of PostgreSQL holds, one that does not match the regular expression of
   * the pattern, and what a converter refuses. A `*` may be empty
   */
  readonly parse: (key: string) => Parsed
}

/**
 * Makes keys of parameters, and reads the parameters of keys: the `toId` of an adapter over your own table. A row must
 * not have two keys, so each key that `parse` takes is the one that `format` makes again.
 *
 * @param pattern in the syntax of Fastify's router, with the prefixes of plugins, as that of the route
 * @param converters by the names of parameters, for those that are no texts: `wholeNumber`, `uuid`, or your own
 * @throws FST_IF_MATCH_INVALID_OPTIONS (500) if the pattern is none, or if its keys could be read in two ways: it has a
 * name twice, or two parameters in one segment; or if a converter is no function, or for a parameter that is not there
 * @example
 * const line = keyPattern('/orders/:order/lines/:line', { line: wholeNumber })
 * line.format({ order: 'a/b', line: 7 })     // '/orders/a%2Fb/lines/7'
 * line.parse('/orders/a%2Fb/lines/7')        // { order: 'a/b', line: 7 }
 */
export function keyPattern<const P extends string, C extends { [N in NameOf<P>]?: Param } = {}> (
  pattern: P,
  converters?: { readonly [N in keyof C]: Converter<C[N]> }
): KeyPattern<ParamsOf<P>, ParsedOf<P, C>> {
  const { keyOf, parameters, textsIn } = compile(pattern)
  const converterOf = new Map(Object.entries<unknown>(converters ?? {}))
  for (const [name, converter] of converterOf) {
    if (!parameters.some(({ parameter }) => parameter === name)) {
      throw flawOf(pattern, `the pattern has no parameter "${name}" to convert.`)
    }
    if (typeof converter !== 'function') throw flawOf(pattern, `the converter of "${name}" must be a function.`)
  }

  function parse (key: string): Record<string, Param> {
    const texts = typeof key === 'string' ? textsIn(key) : undefined
    const params = texts?.flatMap((text, index) => {
      const { parameter, isOptional } = parameters[index]!
      if (text === '' && isOptional) return []
      const value = valueOf(text, parameter, converterOf.get(parameter) as Converter | undefined)
      return [[parameter, value] as const]
    })
    if (params === undefined || params.some(([, value]) => value === undefined)) {
      throw new InvalidKeyError(`is not spelt as the pattern "${pattern}" asks`)
    }
    return Object.fromEntries(params) as Record<string, Param>
  }

  return { format: keyOf, parse: parse as (key: string) => never }
}

function compile (pattern: string) {
  if (typeof pattern !== 'string') {
    throw new InvalidOptionsError('keyPattern()', `its pattern must be a string, and is ${kindOf(pattern)}.`)
  }
  try {
    const tokens = tokensOf(pattern)
    const parameters = parametersIn(tokens)
    const names = new Set(parameters.map(({ parameter }) => parameter))
    if (names.size < parameters.length) throw new Error('two parameters have the same name')
    return { keyOf: compileKey(pattern).keyOf, parameters, textsIn: compileShape(tokens) }
  } catch (error) {
    throw flawOf(pattern, `no key can be made of it and read again: ${(error as Error).message}.`)
  }
}

function flawOf (pattern: string, message: string): Error {
  return new InvalidOptionsError(`the key pattern "${pattern}"`, message)
}

/** What the text of a parameter stands for; undefined if another text stands for it. */
function valueOf (text: string, parameter: string, convert: Converter | undefined): Param | undefined {
  if (!text.isWellFormed() || (text === '' && parameter !== '*')) return undefined
  const decoded = decode(text)
  if (decoded === undefined || encodeURIComponent(decoded) !== text || decoded.includes('\0')) return undefined
  if (convert === undefined) return decoded
  const value = convert(decoded)
  return isText(value) && String(value) === decoded ? value : undefined
}

// The types read a pattern as `entityKey` does, one character after the other. `Found` has the parameters as a union.

interface Named<N extends string, O extends boolean> { name: N, isOptional: O }

type Found<P extends string, F = never> =
  P extends `::${infer Rest}` ? Found<Rest, F>
    : P extends `:${infer Rest}` ? FoundName<Rest, '', F>
      : P extends `*${infer Rest}` ? Found<Rest, F | Named<'*', false>>
        : P extends `${string}${infer Rest}` ? Found<Rest, F> : F

type FoundName<P extends string, N extends string, F> =
  P extends `(${infer Rest}` ? AfterName<BehindParenthesis<Rest>, N, F>
    : P extends `${'/' | '-' | '.' | '?'}${string}` | '' ? AfterName<P, N, F>
      : P extends `${infer Character}${infer Rest}` ? FoundName<Rest, `${N}${Character}`, F> : never

type AfterName<P extends string, N extends string, F> =
  P extends `?${infer Rest}` ? Found<Rest, F | Named<N, true>> : Found<P, F | Named<N, false>>

// `Depth` is a tuple with one item for each parenthesis that is open.
type BehindParenthesis<P extends string, Depth extends unknown[] = [0]> =
  P extends `\\${string}${infer Rest}` ? BehindParenthesis<Rest, Depth>
    : P extends `(${infer Rest}` ? BehindParenthesis<Rest, [...Depth, 0]>
      : P extends `)${infer Rest}` ? Depth extends [0] ? Rest : BehindParenthesis<Rest, Shorter<Depth>>
        : P extends `${string}${infer Rest}` ? BehindParenthesis<Rest, Depth> : ''

type Shorter<Depth extends unknown[]> = Depth extends [unknown, ...infer Others] ? Others : []

type NamesIn<F, O extends boolean> = F extends Named<infer N, O> ? N : never

/** The names of the parameters in a pattern. */
export type NameOf<P extends string> = string extends P ? string : NamesIn<Found<P>, boolean>

/** What `format` takes; any names if the pattern is no literal. */
export type ParamsOf<P extends string> = string extends P ? { readonly [name: string]: Param }
  : Flat<{ readonly [N in NamesIn<Found<P>, false>]: Param } & { readonly [N in NamesIn<Found<P>, true>]?: Param }>

/** What `parse` gives: texts, or what converters make of them. */
export type ParsedOf<P extends string, C> = string extends P ? Record<string, Convert<C, string>>
  : Flat<{ [N in NamesIn<Found<P>, false>]: Convert<C, N> } & { [N in NamesIn<Found<P>, true>]?: Convert<C, N> }>

type Convert<C, N extends string> = N extends keyof C ? C[N] : string

type Flat<T> = { [K in keyof T]: T[K] }
