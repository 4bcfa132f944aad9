import { InvalidKeyError, InvalidOptionsError } from '../errors.js'
import { kindOf } from '../storage/kit/flaws.js'

/** A pattern that was compiled. */
export interface CompiledKey {
  /**
   * Makes the key of an entity from the parameters of a request.
   *
   * @throws FST_IF_MATCH_INVALID_OPTIONS, FST_IF_MATCH_INVALID_KEY, as `entityKey` does
   */
  readonly keyOf: (params: object) => string
  /** The names of the parameters in the pattern. */
  readonly parameters: string[]
}

/** A parameter of a pattern, or `*`. `regExp` is its regular expression with the parentheses. */
export interface Parameter { readonly parameter: string, readonly isOptional: boolean, readonly regExp?: string }

/** A part of a pattern. */
export type Token = { readonly literal: string } | Parameter

// The patterns of an app are a few literals. If it makes them at run time, they must not fill the memory.
const MOST_PATTERNS = 500
const compiled = new Map<string, CompiledKey>()

/**
 * Makes the key of an entity, exactly as a route with this pattern makes it of its parameters: each goes through
 * `encodeURIComponent`, so `'café'` and `'a/b'` name the entities of `/offers/caf%C3%A9` and `/offers/a%2Fb`, and a
 * template literal names others. A pattern that ends ahead of a parameter makes a prefix for `list`.
 *
 * @param pattern in the syntax of Fastify's router, with the prefixes of plugins
 * @param params by name, such as `request.params`; the one of a wildcard is called `*`. Names that the pattern does not
 * have are ignored
 * @throws FST_IF_MATCH_INVALID_OPTIONS (500) if the pattern is none, or if a parameter is missing that is not optional,
 * or is not a string, a finite number, a bigint or a boolean
 * @throws FST_IF_MATCH_INVALID_KEY (400) if a parameter is not well-formed Unicode, or an infinite number
 * @example
 * const bundle = request.entity<Bundle>(entityKey('/bundles/:id', { id: offer.bundleId }))
 */
export function entityKey (pattern: string, params: object): string {
  if (typeof pattern !== 'string') {
    throw new InvalidOptionsError('entityKey()', `its pattern must be a string, and is ${kindOf(pattern)}.`)
  }
  let key = compiled.get(pattern)
  if (key === undefined) {
    try {
      key = compileKey(pattern)
    } catch (error) {
      throw new InvalidOptionsError(`the key "${pattern}"`, `${(error as Error).message}.`)
    }
    if (compiled.size === MOST_PATTERNS) compiled.clear()
    compiled.set(pattern, key)
  }
  return key.keyOf(params)
}

/**
 * Compiles a pattern in the syntax of Fastify's router, such as `/offers/:id`, to a function that fills the parameters
 * in. Each goes through `encodeURIComponent`, so that no parameter can reach into another entity.
 *
 * @throws Error if two parameters share a segment: their values could run together to one key
 */
export function compileKey (pattern: string): CompiledKey {
  const tokens = tokensOf(pattern)
  return { keyOf: (params) => fill(pattern, tokens, params), parameters: namesIn(tokens) }
}

/**
 * The parts of a pattern that keys can be made of.
 *
 * @throws Error if two parameters share a segment: their values could run together to one key
 */
export function tokensOf (pattern: string): Token[] {
  const tokens = tokenise(pattern)
  if (tokens.some((token, index) => 'parameter' in token && sharesSegment(tokens.slice(index + 1)))) {
    throw new Error('two parameters in one segment could run together to one key; name the key with a function')
  }
  return tokens
}

/** The names of the parameters in a pattern. */
export function parametersOf (pattern: string): string[] {
  return namesIn(tokenise(pattern))
}

function namesIn (tokens: readonly Token[]): string[] {
  return tokens.flatMap((token) => 'parameter' in token ? [token.parameter] : [])
}

// Whether the tokens behind a parameter have another one ahead of the next slash.
function sharesSegment (rest: readonly Token[]): boolean {
  const next = rest.find((token) => 'parameter' in token || token.literal.includes('/'))
  return next !== undefined && 'parameter' in next
}

function fill (pattern: string, tokens: readonly Token[], params: object): string {
  const values = Object(params) as Record<string, unknown> // plain JavaScript may pass undefined
  let key = ''
  for (const token of tokens) {
    if ('literal' in token) {
      key += token.literal
      continue
    }
    const { parameter, isOptional } = token
    const value = values[parameter] ?? (isOptional ? '' : undefined)
    // A schema makes it of 1e400, so it is the client's, as it is in a value.
    if (value === Infinity || value === -Infinity) throw new InvalidKeyError('has a number that is too large')
    // Objects would be one key: "[object Object]".
    if (!isText(value)) {
      throw new InvalidOptionsError(
        `the key "${pattern}"`,
        `its parameter "${parameter}" is ${value === undefined ? 'missing' : 'no text'}. ` +
          'Pass a string, a finite number, a bigint or a boolean, or make the key yourself.'
      )
    }
    const text = String(value)
    if (!text.isWellFormed()) throw new InvalidKeyError('is not well-formed Unicode')
    key += encodeURIComponent(text)
  }
  return key
}

/** Whether a key may have it as a parameter: validation may have made a number or a boolean of a text. */
export function isText (value: unknown): value is string | number | bigint | boolean {
  return typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean' || Number.isFinite(value)
}

function tokenise (pattern: string): Token[] {
  const tokens: Token[] = []
  let index = 0
  while (index < pattern.length) {
    if (pattern.startsWith('::', index)) {
      tokens.push({ literal: ':' })
      index += 2
    } else if (pattern[index] === ':') {
      const { end, ...token } = scanParameter(pattern, index + 1)
      tokens.push(token)
      index = end
    } else if (pattern[index] === '*') {
      tokens.push({ parameter: '*', isOptional: false })
      index++
    } else {
      let end = index + 1
      while (end < pattern.length && pattern[end] !== ':' && pattern[end] !== '*') end++
      tokens.push({ literal: pattern.slice(index, end) })
      index = end
    }
  }
  return tokens
}

// As the router does: a name ends at a slash, a dash, a dot, or at the parenthesis of a regular expression. A question
// mark behind it makes the parameter optional.
function scanParameter (pattern: string, start: number): Parameter & { end: number } {
  let end = start
  while (end < pattern.length && !'/-.(?'.includes(pattern[end]!)) end++
  const parameter = pattern.slice(start, end)
  const endOfName = end
  if (pattern[end] === '(') end = closingParenthesis(pattern, end) + 1
  const regExp = pattern.slice(endOfName, end)
  const isOptional = pattern[end] === '?'
  return { parameter, isOptional, ...regExp !== '' && { regExp }, end: isOptional ? end + 1 : end }
}

function closingParenthesis (pattern: string, open: number): number {
  let depth = 0
  for (let index = open; index < pattern.length; index++) {
    if (pattern[index] === '\\') index++
    else if (pattern[index] === '(') depth++
    else if (pattern[index] === ')' && --depth === 0) return index
  }
  throw new Error('a parenthesis is not closed')
}
