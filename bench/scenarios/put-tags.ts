import { put } from './put.js'
import type { Scenario } from './scenario.js'

/** A write under a list of tags, of which the last one is the current tag. */
export function putTags (count: number): Scenario {
  const stale = Array.from({ length: count - 1 }, (_, index) => `"${index}"`)
  return { ...put, name: `put-tags-${count}`, precondition: (tag) => ({ 'if-match': [...stale, tag].join(', ') }) }
}
