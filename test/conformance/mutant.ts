import type { StorageAdapter } from '../../lib/storage/adapter.js'
import type { Engine, Parts } from './engine.js'

/** Gives the parts that a mutant replaces. */
export type Flaw = () => Partial<Parts>

/** An adapter that is wrong in one respect. */
export interface Mutant {
  /** What it does wrong, after "an adapter that". */
  adapter: string
  flaw: Flaw
  /** The titles of all cases of the suite that fail for it. */
  caughtBy: readonly string[]
}

/** A flaw in methods as their callers see them. */
export function replacing (methods: (adapter: StorageAdapter, engine: Engine) => Partial<StorageAdapter>): Flaw {
  return () => ({ wrap: (adapter, engine) => ({ ...adapter, ...methods(adapter, engine) }) })
}

/** Titles of cases that run on one adapter and on two, without the count that the suite adds: see `onOneAndTwo`. */
export const contention = {
  writers: 'contention: exactly one of the writers with one version is applied, and the others get its entity',
  creators: 'contention: exactly one of the creators is applied, and the others get its entity',
  removers: 'contention: exactly one of the removers is applied, and the others find nothing',
  writersAndRemovers: 'contention: exactly one of the writers and removers with one version is applied',
  sum: 'contention: applied creations and removals add up to the stored state',
  existsChain: 'contention: writers that expect "exists" are all applied, each on top of another one',
  anyChain: 'contention: writers that expect "any" are all applied, and exactly one creates'
}

/** As `contention`. */
export const concurrency = {
  counter: 'concurrency: a counter raised by compare-and-swap loops loses no step',
  reads: 'concurrency: a read during writes gives the value and the version of one write',
  newerVersion: 'concurrency: the version of a read is never newer than its value',
  differentKeys: 'concurrency: writers of different keys are all applied',
  oppositeOrders: 'concurrency: writers that take the same keys in opposite orders are all applied',
  badNeighbours: 'concurrency: bad values, bad keys and refusals do not affect other writes'
}

/** The title of the case of many refusals at once. */
export const refusalsTogether =
  'refusal: of changes that arrive together, each tells all of its own entity, also one that was only created'

/** Titles of cases about reads whose caller needs no value of some versions. */
export const unlessCases = {
  others: 'unless: under other versions a read gives the whole entity',
  own: 'unless: under "*" and under its version a read gives all but the value, and that is right or left out',
  absent: 'unless: an entity that was never written, and one that was removed, is absent',
  before: 'unless: under the version before its last write, a read gives what that stored',
  together: 'unless: of reads that arrive together, each gives what its own caller needs'
}

export function onOneAndTwo (...titles: string[]): string[] {
  return [...on('one adapter', titles), ...onTwo(...titles)]
}

export function onTwo (...titles: string[]): string[] {
  return on('two adapters', titles)
}

function on (count: string, titles: readonly string[]): string[] {
  return titles.map((title) => title.replace(':', `, ${count}:`))
}
