import { setImmediate as turn } from 'node:timers/promises'
import type { Stored, WriteResult } from '../../../lib/storage/adapter.js'
import { newVersion } from '../../../lib/storage/kit/version.js'
import { copyRow } from '../engine.js'
import { concurrency, contention, onOneAndTwo, refusalsTogether, replacing, type Flaw, type Mutant } from '../mutant.js'

const { writers, creators, writersAndRemovers, sum, anyChain } = contention

const refusedReplacements = [
  'replace: a version that was never issued is refused',
  'replace: a version that was replaced is refused',
  'replace: a version of an entity that was removed and created again is refused',
  'replace: a list of 256 versions is compared to its end',
  'replace: a list without the current version is refused',
  'replace: an empty list of versions is refused'
]

/** Adapters that compare well, and then do or report something wrong. */
export const outcomeMutants: Mutant[] = [
  {
    adapter: 'removes all entities whose keys begin with the key',
    flaw: () => ({
      removeRow (rows, key) {
        for (const other of rows.keys()) if (other.startsWith(key)) rows.delete(other)
      }
    }),
    caughtBy: [
      'key: removing a key leaves all similar keys',
      'remove: entities whose keys begin with the removed key stay'
    ]
  },
  {
    adapter: 'reports every write as a creation',
    flaw: changingResults((result) => result.applied ? { ...result, created: true } : result),
    caughtBy: [
      'replace: the current version is applied, and created is false',
      'replace: "exists" is applied whatever the version, and created is false',
      'replace: "any" is applied whatever the version, and created is false',
      ...onOneAndTwo(anyChain)
    ]
  },
  {
    adapter: 'reports no write as a creation',
    flaw: changingResults((result) => result.applied ? { ...result, created: false } : result),
    caughtBy: [
      'key: keys that differ in case, spaces or special characters are distinct',
      'create: "absent" creates an absent entity, and created is true',
      'create: "absent" creates again after a removal',
      'create: "any" creates an absent entity, and created is true',
      ...onOneAndTwo(anyChain)
    ]
  },
  {
    adapter: 'refuses without the current entity',
    flaw: changingResults((result) => result.applied ? result : { applied: false, current: undefined }),
    caughtBy: [
      refusalsTogether,
      'value: a refusal gives every value as it was written',
      'aliasing: changing the current value of a refused write leaves the store unchanged',
      'create: "absent" is refused if the entity exists, and current is that entity (RFC 9110 13.1.2)',
      ...refusedReplacements,
      'refusal: a refused creation changes nothing, including replaced and digest',
      'refusal: current is all that a read gives, including replaced and digest',
      'refusal: the version of current is accepted by the next write',
      ...onOneAndTwo(writers, creators, writersAndRemovers, sum, concurrency.counter),
      'two adapters: one accepts the versions of the other',
      'two adapters: one refuses with the entity that the other wrote'
    ]
  },
  {
    adapter: 'refuses without replaced and digest',
    flaw: changingResults((result) => {
      if (result.applied || result.current === undefined) return result
      const { value, version } = result.current
      return { applied: false, current: { value, version } }
    }),
    caughtBy: [
      refusalsTogether,
      'replace: a version that was replaced is refused',
      'refusal: current is all that a read gives, including replaced and digest',
      ...onOneAndTwo(writers, writersAndRemovers)
    ]
  },
  {
    adapter: 'gives refusals that arrive together the digest of the first of them',
    flaw: () => {
      let first: Stored | undefined
      return {
        copyOut (row, operation) {
          if (operation !== 'write' && operation !== 'remove') return copyRow(row)
          first ??= row
          void turn().then(() => { first = undefined })
          return { ...copyRow(row), digest: first.digest }
        }
      }
    },
    caughtBy: [refusalsTogether]
  },
  {
    adapter: 'gives an entity a new version when it refuses',
    flaw: () => ({
      onRefusal (rows, key) {
        const row = rows.get(key)
        if (row !== undefined) rows.set(key, { ...row, version: newVersion() })
      }
    }),
    caughtBy: [
      refusalsTogether,
      'create: "absent" is refused if the entity exists, and current is that entity (RFC 9110 13.1.2)',
      ...refusedReplacements,
      'replace: versions are compared character by character (RFC 9110 8.8.3.2)',
      'remove: a version that was replaced or never issued is refused, and the entity stays',
      'remove: an empty list of versions is refused, and the entity stays',
      'refusal: a refused creation changes nothing, including replaced and digest',
      'refusal: a refused replacement changes nothing, including replaced and digest',
      'refusal: a refused removal changes nothing, including replaced and digest',
      'refusal: current is all that a read gives, including replaced and digest',
      'refusal: the version of current is accepted by the next write',
      ...onOneAndTwo(writers, creators, writersAndRemovers, concurrency.counter)
    ]
  }
]

function changingResults (change: (result: WriteResult) => WriteResult): Flaw {
  return replacing((adapter) => ({ write: async (...args) => change(await adapter.write(...args)) }))
}
