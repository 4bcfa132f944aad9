/** What a token may do for a publisher: either role may do the same (reading 9). */
export type Role = 'owner' | 'contributor'

/** A bearer token, and the publishers that it has a role on. */
export interface Token {
  secret: string
  roles: ReadonlyMap<string, Role>
}

/** For development alone: everybody knows them. */
export const DEVELOPMENT_TOKENS = 'dev-contoso=contoso:owner,dev-fabrikam=fabrikam:contributor'

const SECRET = /^[A-Za-z0-9._~+/-]+=*$/ // the characters of a bearer token (RFC 6750 2.1)
const GRANT = /^(?<publisher>[a-z0-9][a-z0-9-]*):(?<role>owner|contributor)$/

/**
 * Parses `token=publisher:role[+publisher:role…]`, with a comma between tokens.
 *
 * @throws RangeError naming the entry by its position, because a reader of the message may not know the token
 */
export function parseTokens (text: string): Token[] {
  const tokens = text.split(',').map((entry, index) => parseToken(entry.trim(), index + 1))
  if (new Set(tokens.map(({ secret }) => secret)).size < tokens.length) throw new RangeError('a token is there twice')
  return tokens
}

/** Whether one of the tokens is a development token. */
export function includesDevelopmentToken (tokens: readonly Token[]): boolean {
  const known = parseTokens(DEVELOPMENT_TOKENS).map(({ secret }) => secret)
  return tokens.some(({ secret }) => known.includes(secret))
}

function parseToken (entry: string, position: number): Token {
  // The last equals sign: a token may end in some of its own.
  const end = entry.lastIndexOf('=')
  const secret = entry.slice(0, Math.max(end, 0))
  if (!SECRET.test(secret)) {
    throw new RangeError(`entry ${position} has no token, or one that no Authorization header can carry`)
  }
  const roles = new Map<string, Role>()
  for (const grant of entry.slice(end + 1).split('+')) {
    const { publisher, role } = GRANT.exec(grant)?.groups ?? {}
    if (publisher === undefined || roles.has(publisher)) {
      throw new RangeError(`entry ${position} does not give one role on each of its publishers`)
    }
    roles.set(publisher, role as Role)
  }
  return { secret, roles }
}
