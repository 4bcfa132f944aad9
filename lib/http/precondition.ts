import { strongCompare, versionOf, weakCompare, withoutCoding, type EntityTag } from './entity-tag.js'
import type { TagList } from './list-header.js'
import type { Expectation } from '../storage/adapter.js'

/** The preconditions of a request; a field that was not sent is undefined. */
export interface Preconditions {
  readonly ifMatch: TagList | undefined
  readonly ifNoneMatch: TagList | undefined
}

/** The preconditions of a request that has none. */
export const UNCONDITIONAL: Preconditions = { ifMatch: undefined, ifNoneMatch: undefined }

/** What the route allows where preconditions are judged. */
export interface Policy {
  /** Whether the operation may run if the entity is absent. */
  readonly mayCreate: boolean
  /**
   * Whether `If-Match: *` holds if the entity is absent and may be created: a deviation from RFC 9110 13.1.1, by
   * option.
   */
  readonly wildcardCreates: boolean
  /** The answer to `If-Match` if the entity is absent and may not be created. */
  readonly absent: 404 | 412
}

/** Why an operation is refused: the field that is false, or the absence, which ranks before it (RFC 9110 13.2.1). */
export type Refusal = 'if-match' | 'if-none-match' | 'absent'

/** Perform the operation, or why not. */
export type Verdict = 'perform' | Refusal

/** How tags in `If-Match` are compared; see the option `compare`. */
export type Compare = 'strong' | 'opaque' | ((tag: EntityTag) => EntityTag)

/** Judges the preconditions for an entity of this version, undefined: it is absent (RFC 9110 13.2.1, 13.2.2). */
export function evaluate (
  { ifMatch, ifNoneMatch }: Preconditions,
  current: string | undefined,
  policy: Policy
): Verdict {
  if (current === undefined && !policy.mayCreate) {
    return ifMatch !== undefined && policy.absent === 412 ? 'if-match' : 'absent'
  }
  if (ifMatch !== undefined && !ifMatchHolds(ifMatch, current, policy)) return 'if-match'
  if (ifNoneMatch !== undefined && !ifNoneMatchHolds(ifNoneMatch, current)) return 'if-none-match'
  return 'perform'
}

function ifMatchHolds (tags: TagList, current: string | undefined, policy: Policy): boolean {
  if (tags === '*') return current !== undefined || policy.wildcardCreates
  if (current === undefined) return false
  const held: EntityTag = { opaque: current, weak: false }
  return tags.some((tag) => strongCompare(tag, held))
}

/**
 * Whether `If-None-Match` is true for this opaque-tag of the current representation, undefined: none (RFC 9110 13.1.2).
 */
export function ifNoneMatchHolds (tags: TagList, current: string | undefined): boolean {
  if (current === undefined) return true
  if (tags === '*') return false
  const held: EntityTag = { opaque: current, weak: false }
  return !tags.some((tag) => weakCompare(tag, held))
}

/**
 * The same preconditions as one expectation of the storage, so that the write decides.
 *
 * @returns undefined if one expectation cannot say them: then read, judge, and compare and swap on what was read
 */
export function expectationOf ({ ifMatch, ifNoneMatch }: Preconditions, policy: Policy): Expectation | undefined {
  if (ifNoneMatch !== undefined) {
    return ifNoneMatch === '*' && ifMatch === undefined && policy.mayCreate ? { kind: 'absent' } : undefined
  }
  if (ifMatch === undefined) return { kind: policy.mayCreate ? 'any' : 'exists' }
  if (ifMatch === '*') return { kind: policy.mayCreate && policy.wildcardCreates ? 'any' : 'exists' }
  return { kind: 'version', versions: ifMatch.filter((tag) => !tag.weak).map((tag) => tag.opaque) }
}

/** The expectation that the entity still has this version, undefined: that it still is absent. */
export function unchangedSince (version: string | undefined): Expectation {
  return version === undefined ? { kind: 'absent' } : { kind: 'version', versions: [version] }
}

/** The preconditions that hold for this version alone, undefined: only if the entity is absent. */
export function preconditionsFor (version: string | undefined): Preconditions {
  return version === undefined
    ? { ifMatch: undefined, ifNoneMatch: '*' }
    : { ifMatch: [{ opaque: version, weak: false }], ifNoneMatch: undefined }
}

/**
 * The tags as the option `compare` reads them: `'opaque'` drops the weak mark that a gateway added, a function drops
 * what it appended.
 */
export function normalise (tags: TagList, compare: Compare): TagList {
  if (tags === '*' || compare === 'strong') return tags
  return tags.map(compare === 'opaque' ? ({ opaque }) => ({ opaque, weak: false }) : compare)
}

/** The tags cut down to the versions that they are about: writes compare versions, whatever was sent of them. */
export function versionsOf (tags: TagList): TagList {
  return tags === '*' ? tags : tags.map(({ opaque, weak }) => ({ opaque: versionOf(opaque), weak }))
}

/** The tags of the same variants as they are without a content-coding. */
export function withoutCodings (tags: TagList): TagList {
  return tags === '*' ? tags : tags.map(({ opaque, weak }) => ({ opaque: withoutCoding(opaque), weak }))
}
