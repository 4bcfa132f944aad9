import { Type } from '@sinclair/typebox'
import type { StorageAdapter, Stored } from 'fastify-if-match'

/** A schema whose one column keeps any JSON. */
export const IN_COLUMN = Type.Object({ value: Type.Unknown() })

interface InColumn { value: unknown }

/** An adapter whose values are those of one column: the conformance suite stores any JSON. */
export function inColumn (adapter: StorageAdapter<InColumn>): StorageAdapter {
  const out = <S extends object>(found: S): S =>
    ('value' in found ? { ...found, value: (found.value as InColumn).value } : found)
  const current = <R extends { applied: boolean, current?: Stored<InColumn> | undefined }>(result: R): R =>
    result.applied ? out(result) : { ...result, current: result.current && out(result.current) }
  return {
    ...adapter,
    read: async (key, options) => {
      const found = await adapter.read(key, options)
      return found && out(found)
    },
    write: async (key, value, expectation, options) =>
      // No value at all is none of a column either.
      current(
        await adapter.write(key, value === undefined ? value as never : { value }, expectation, options)
      ) as never,
    remove: async (key, expectation, options) => current(await adapter.remove(key, expectation, options))
  }
}
