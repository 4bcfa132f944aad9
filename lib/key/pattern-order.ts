import { tokensOf, type Parameter, type Token } from './entity-key.js'
import { compileShape } from './shape.js'

/** A pattern in its place among others. */
export interface OrderedPattern {
  readonly pattern: string
  /** The literal text that all its keys begin with. */
  readonly beginning: string
  /** Whether a key has the shape of the pattern. */
  readonly fits: (key: string) => boolean
}

/** What stands between two slashes: a literal text alone, or a parameter with literal text around it. */
interface Segment { before: string, parameter?: Parameter, after: string }

/**
 * Orders patterns as the router ranks routes, so that the first one that fits a key is that of the route which made it:
 * from the left, a literal segment comes before a parameter with a regular expression or with literal text beside it,
 * that before any other parameter, and a wildcard last.
 *
 * @throws Error if no rank decides between two patterns that could make the same key; or as `tokensOf`, `compileShape`
 */
export function orderPatterns (patterns: readonly string[]): OrderedPattern[] {
  const compiled = patterns.map((pattern) => {
    const tokens = tokensOf(pattern)
    const textsIn = compileShape(tokens)
    return {
      pattern,
      segments: segmentsOf(tokens),
      beginning: beginningOf(tokens),
      fits: (key: string) => textsIn(key) !== undefined
    }
  })
  for (const [index, one] of compiled.entries()) {
    const other = compiled.slice(0, index).find(({ segments }) => areEqualInRank(one.segments, segments) ||
      isHiddenBy(one.segments, segments) || isHiddenBy(segments, one.segments))
    if (other !== undefined) throw new Error(`"${other.pattern}" and "${one.pattern}" could make the same key`)
  }
  return compiled.sort((one, other) => byRank(one.segments, other.segments))
}

function beginningOf (tokens: readonly Token[]): string {
  let beginning = ''
  for (const token of tokens) {
    if ('parameter' in token) break
    beginning += token.literal
  }
  return beginning
}

function segmentsOf (tokens: readonly Token[]): Segment[] {
  let segment: Segment = { before: '', after: '' }
  const segments = [segment]
  for (const token of tokens) {
    if ('parameter' in token) {
      segment.parameter = token
      continue
    }
    for (const [index, text] of token.literal.split('/').entries()) {
      if (index > 0) segments.push(segment = { before: '', after: '' })
      segment[segment.parameter === undefined ? 'before' : 'after'] += text
    }
  }
  return segments
}

const LITERAL = 0
const NARROWED = 1
const PARAMETER = 2
const WILDCARD = 3

function rankOf ({ before, parameter, after }: Segment): number {
  if (parameter === undefined) return LITERAL
  if (parameter.regExp !== undefined || before !== '' || after !== '') return NARROWED
  return isWildcard({ parameter }) ? WILDCARD : PARAMETER
}

function isWildcard ({ parameter }: Pick<Segment, 'parameter'>): boolean {
  return parameter?.parameter === '*'
}

function byRank (one: readonly Segment[], other: readonly Segment[]): number {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) {
    const [a, b] = [one[index]!, other[index]!]
    // A wildcard fits the slashes of longer patterns, too.
    const difference = rankOf(a) - rankOf(b) || Number(isWildcard(a)) - Number(isWildcard(b))
    if (difference !== 0) return difference
  }
  // Of two lengths only a wildcard fits the same key. If they were equal, a sort could miss the rank of two others.
  return other.length - one.length
}

// A route makes one segment of a wildcard, since it encodes the slashes: that is the key of a parameter, too.
function areEqualInRank (one: readonly Segment[], other: readonly Segment[]): boolean {
  if (!areOverlapping(one, other)) return false
  for (const [index, segment] of one.entries()) {
    const rank = Math.min(rankOf(segment), PARAMETER)
    if (rank !== Math.min(rankOf(other[index]!), PARAMETER)) return false
    // Between two of them the router decides by what the app adds first.
    if (rank === NARROWED && textOf(segment) !== textOf(other[index]!)) return true
  }
  return true
}

// The route of the wildcard takes a path with more slashes than the other one has, and makes a key of it that fits the
// other pattern, which comes first: `/v-1/2` for `/*` beside `/v-:id`.
function isHiddenBy (wildcard: readonly Segment[], other: readonly Segment[]): boolean {
  const { parameter } = other.at(-1)!
  return areOverlapping(wildcard, other) && isWildcard(wildcard.at(-1)!) && byRank(other, wildcard) < 0 &&
    parameter !== undefined && parameter.regExp === undefined
}

function areOverlapping (one: readonly Segment[], other: readonly Segment[]): boolean {
  return one.length === other.length && !one.some((segment, index) => areDisjoint(segment, other[index]!))
}

function areDisjoint (one: Segment, other: Segment): boolean {
  if (one.parameter === undefined && other.parameter === undefined) return one.before !== other.before
  if (one.parameter === undefined) return !isAround(other, one.before)
  if (other.parameter === undefined) return !isAround(one, other.before)
  const { before, after } = one
  return !(before.startsWith(other.before) || other.before.startsWith(before)) ||
    !(after.endsWith(other.after) || other.after.endsWith(after))
}

function isAround ({ before, after }: Segment, text: string): boolean {
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
}

function textOf ({ before, parameter, after }: Segment): string {
  return `${before}:${parameter?.regExp ?? ''}${after}`
}
