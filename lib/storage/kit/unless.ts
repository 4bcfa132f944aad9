import type { ReadOptions, Stored } from '../adapter.js'

/** Whether the caller of a read needs no value of the entity, if it has this version: `unless` of its options. */
export function needsNoValue (options: ReadOptions | undefined, version: string): boolean {
  const unless = options?.unless
  return unless !== undefined && (unless === '*' || unless.includes(version))
}

/** The entity without its value, which the caller of a read needs not. */
export function withoutValue<T> (facts: Omit<Stored<T>, 'value' | 'json'>): Stored<T> {
  return { ...facts } as Stored<T>
}

/** Whether a read gave the value as well. It does not look at the value, which would make it. */
export function hasValue (stored: Stored): boolean {
  return 'value' in stored
}
