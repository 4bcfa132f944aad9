import type { Parameter, Token } from './entity-key.js'

/**
 * Tells whether a key has the shape of a pattern, and what stands in it for the parameters, in their order and still
 * encoded. The texts may be empty, and in a spelling that no route makes.
 *
 * - A parameter takes no slash, and what stands for it matches its regular expression when it is decoded.
 * - A wildcard takes whatever is there: a key that a function made may have slashes in it.
 *
 * @throws SyntaxError if a regular expression is none
 */
export function compileShape (tokens: readonly Token[]): (key: string) => string[] | undefined {
  const whole = new RegExp(`^${tokens.map(sourceOf).join('')}$`, 's')
  const expressions = parametersIn(tokens).map(({ regExp }) => regExp === undefined ? /^/ : new RegExp(`^${regExp}$`))
  const isOptional = parametersIn(tokens).map(({ isOptional }) => isOptional)
  return (key) => {
    const texts = whole.exec(key)?.slice(1)
    const fits = texts?.every((text, index) =>
      (isOptional[index]! && text === '') || expressions[index]!.test(decode(text) ?? text))
    return fits === true ? texts : undefined
  }
}

/** The parameters among the parts of a pattern. */
export function parametersIn (tokens: readonly Token[]): Parameter[] {
  return tokens.filter((token) => 'parameter' in token)
}

/** What `encodeURIComponent` was given; undefined if the text has a bad escape. */
export function decode (text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function sourceOf (token: Token): string {
  if ('literal' in token) return token.literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  return token.parameter === '*' ? '(.*)' : '([^/]*)'
}
