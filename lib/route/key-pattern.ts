/** A pattern that was compiled. */
export interface CompiledKey {
  /** Makes the key of an entity from the parameters of a request. */
  readonly keyOf: (params: Readonly<Record<string, string | undefined>>) => string
  /** The names of the parameters in the pattern. */
  readonly parameters: string[]
}

type Token = { literal: string } | { parameter: string }

/**
 * Compiles a pattern in the syntax of Fastify's router, such as `/offers/:id`, to a function that fills the parameters
 * in. Each goes through `encodeURIComponent`, so that no parameter can reach into another entity.
 *
 * @throws Error if two parameters share a segment: their values could run together to one key
 */
export function compileKey (pattern: string): CompiledKey {
  const tokens = tokenise(pattern)
  if (tokens.some((token, index) => 'parameter' in token && sharesSegment(tokens.slice(index + 1)))) {
    throw new Error('two parameters in one segment could run together to one key; name the key with a function')
  }
  return { keyOf: (params) => fill(tokens, params), parameters: namesIn(tokens) }
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

function fill (tokens: readonly Token[], params: Readonly<Record<string, string | undefined>>): string {
  let key = ''
  for (const token of tokens) {
    key += 'literal' in token ? token.literal : encodeURIComponent(params[token.parameter] ?? '')
  }
  return key
}

function tokenise (pattern: string): Token[] {
  const tokens: Token[] = []
  let index = 0
  while (index < pattern.length) {
    if (pattern.startsWith('::', index)) {
      tokens.push({ literal: ':' })
      index += 2
    } else if (pattern[index] === ':') {
      const { parameter, end } = scanParameter(pattern, index + 1)
      tokens.push({ parameter })
      index = end
    } else if (pattern[index] === '*') {
      tokens.push({ parameter: '*' })
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
function scanParameter (pattern: string, start: number): { parameter: string, end: number } {
  let end = start
  while (end < pattern.length && !'/-.(?'.includes(pattern[end]!)) end++
  const parameter = pattern.slice(start, end)
  if (pattern[end] === '(') end = closingParenthesis(pattern, end) + 1
  return { parameter, end: pattern[end] === '?' ? end + 1 : end }
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
