import type { ReadOptions } from '../adapter.js'
import { possibleVersions } from '../kit/version.js'
import type { Statement, Statements } from './sql.js'

/** A read that shares a statement with others. */
export interface Read { key: string, options: ReadOptions | undefined }

/** The statement that carries out reads together, and its values. It carries no value that none of them needs. */
export function readManyOf (
  reads: readonly Read[],
  { readMany, readManyUnless }: Statements
): [Statement, unknown[]] {
  const unlessOf = new Map<string, ReadOptions['unless']>()
  for (const { key, options } of reads) {
    // Where the reads of a key differ in what they need, its value comes along.
    const isOther = unlessOf.has(key) && unlessOf.get(key) !== options?.unless
    unlessOf.set(key, isOther ? undefined : options?.unless)
  }
  const keys = [...unlessOf.keys()]
  const spared = keys.filter((key) => unlessOf.get(key) === '*')
  const sparedVersions = [...unlessOf].flatMap(([key, unless = []]) =>
    unless === '*' ? [] : possibleVersions(unless).map((version) => `${version} ${key}`)
  )
  return spared.length + sparedVersions.length === 0
    ? [readMany, [keys]]
    : [readManyUnless, [keys, spared, sparedVersions]]
}
