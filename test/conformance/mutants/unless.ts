import { setImmediate as turn } from 'node:timers/promises'
import type { ReadOptions, StorageAdapter, Stored } from '../../../lib/storage/adapter.js'
import { needsNoValue, withoutValue } from '../../../lib/storage/kit/unless.js'
import { copyRow, type Operation } from '../engine.js'
import { replacing, unlessCases, type Flaw, type Mutant } from '../mutant.js'

const { others, own, absent, before, together } = unlessCases
const json = 'json: where an adapter gives it, it is the text of the value'

/** Adapters that are wrong about what the caller of a read needs, or about the text of a value. */
export const unlessMutants: Mutant[] = [
  {
    adapter: 'leaves the value out for other versions than those that need none',
    flaw: () => ({ needsNoValue: (options) => options?.unless !== undefined }),
    caughtBy: [others, before, together]
  },
  {
    adapter: 'leaves the value out for versions that begin alike',
    flaw: () => ({
      needsNoValue: ({ unless } = {}, version) =>
        unless === '*' || unless?.some((other) => version.startsWith(other)) === true
    }),
    caughtBy: [others]
  },
  {
    adapter: 'compares with the first version that needs no value alone, and calls the others absent',
    flaw: readingUnless((stored, unless) => {
      return unless === '*' || unless.indexOf(stored?.version ?? '') < 1 ? stored : undefined
    }),
    caughtBy: [own]
  },
  {
    adapter: 'gives undefined as the value that is not needed',
    flaw: readingUnless((stored, unless) => {
      return stored && needsNoValue({ unless }, stored.version) ? { ...stored, value: undefined } : stored
    }),
    caughtBy: [own, before, together]
  },
  {
    adapter: 'gives neither replaced nor digest without the value',
    flaw: readingUnless((stored, unless) => {
      return stored && needsNoValue({ unless }, stored.version) ? withoutValue({ version: stored.version }) : stored
    }),
    caughtBy: [own, before, together]
  },
  {
    adapter: 'takes the version that needs no value for that of the entity',
    flaw: readingUnless((stored, unless) => {
      return unless === '*' ? stored : withoutValue({ ...stored, version: unless[0] ?? 'none' })
    }),
    caughtBy: [others, own, absent, before, together]
  },
  {
    adapter: 'reads an absence as an entity without a value',
    flaw: readingUnless((stored) => stored ?? withoutValue({ version: 'none' })),
    caughtBy: [absent]
  },
  {
    adapter: 'gives the value of the version that needs none, with the version of now',
    flaw: () => {
      const seen = new Map<string, unknown>()
      return {
        wrap: (adapter) => ({
          ...adapter,
          async read (key, options) {
            const stored = await adapter.read(key, options)
            const { unless } = options ?? {}
            if (stored === undefined) return undefined
            if (typeof unless === 'object' && 'value' in stored && unless.length > 0 && seen.has(unless[0]!)) {
              return { ...stored, value: seen.get(unless[0]!) }
            }
            if ('value' in stored) seen.set(stored.version, stored.value)
            return stored
          }
        })
      }
    },
    caughtBy: [before, together]
  },
  {
    adapter: 'reads for all that name versions together what the first of them needs',
    flaw: () => {
      const reads = new Map<string, ReturnType<StorageAdapter['read']>>()
      return {
        wrap: (adapter) => ({
          ...adapter,
          async read (key, options) {
            if (options?.unless === undefined) return await adapter.read(key, options)
            const read = reads.get(key) ?? adapter.read(key, options)
            reads.set(key, read)
            void turn().then(() => reads.delete(key))
            return await read
          }
        })
      }
    },
    caughtBy: [together]
  },
  {
    adapter: 'gives the text of an earlier value when it is read',
    flaw: withEarlierText('read'),
    caughtBy: [json, together]
  },
  {
    adapter: 'gives the text of an earlier value when it refuses',
    flaw: withEarlierText('write'),
    caughtBy: [json]
  },
  {
    adapter: 'gives the text of an earlier value when it lists',
    flaw: withEarlierText('list'),
    caughtBy: ['list: an item is the key and all that a read gives']
  }
]

// A flaw in reads that name versions.
function readingUnless (
  answer: (stored: Stored | undefined, unless: '*' | readonly string[]) => Stored | undefined
): Flaw {
  return replacing((adapter) => ({
    async read (key: string, options?: ReadOptions) {
      const stored = await adapter.read(key, { ...options, unless: undefined })
      return options?.unless === undefined ? stored : answer(stored, options.unless)
    }
  }))
}

// With a text beside the value, which is that of the operation before.
function withEarlierText (on: Operation): Flaw {
  return () => {
    let earlier: string | undefined
    return {
      copyOut (row, operation) {
        if (operation !== on) return copyRow(row)
        const json = earlier ?? JSON.stringify(row.value)
        earlier = JSON.stringify(row.value)
        return { ...copyRow(row), json }
      }
    }
  }
}
