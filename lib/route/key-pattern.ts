/** Makes the key of an entity from the parameters of a request. */
export type KeyOf = (params: Readonly<Record<string, string | undefined>>) => string

type Token = { literal: string } | { parameter: string }

/**
 * Compiles a pattern in the syntax of Fastify's router, such as `/offers/:id`, to a function that puts the parameters
 * in, each through `encodeURIComponent`, so that no parameter can reach into another entity.
 *
 * @throws Error if two parameters share a segment: their values could run together to one key
 */
export function compileKey (pattern: string): { keyOf: KeyOf, parameters: string[] } {
  const tokens = tokenise(pattern)
  tokens.forEach((token, at) => {
    const next = tokens.slice(at + 1).findIndex((other) => 'parameter' in other || other.literal.includes('/'))
    if ('parameter' in token && next !== -1 && 'parameter' in tokens[at + 1 + next]!) {
      throw new Error('two parameters in one segment could run together to one key; name the key with a function')
    }
  })
  return { keyOf: (params) => fill(tokens, params), parameters: parametersOf(pattern) }
}

/** The names of the parameters in a pattern. */
export function parametersOf (pattern: string): string[] {
  return tokenise(pattern).flatMap((token) => 'parameter' in token ? [token.parameter] : [])
}

function fill (tokens: readonly Token[], params: Readonly<Record<string, string | undefined>>): string {
  let key = ''
  for (const token of tokens) { key += 'literal' in token ? token.literal : encodeURIComponent(params[token.parameter] ?? '') }
  return key
}

function tokenise (pattern: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < pattern.length) {
    if (pattern.startsWith('::', at)) {
      tokens.push({ literal: ':' })
      at += 2
    } else if (pattern[at] === ':') {
      const { parameter, end } = scanParameter(pattern, at + 1)
      tokens.push({ parameter })
      at = end
    } else if (pattern[at] === '*') {
      tokens.push({ parameter: '*' })
      at++
    } else {
      let end = at + 1
      while (end < pattern.length && pattern[end] !== ':' && pattern[end] !== '*') end++
      tokens.push({ literal: pattern.slice(at, end) })
      at = end
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
  for (let at = open; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === '(') depth++
    else if (pattern[at] === ')' && --depth === 0) return at
  }
  throw new Error('a parenthesis is not closed')
}
