import { setImmediate as turn } from 'node:timers/promises'
import { InvalidValueError } from '../../../lib/errors.js'
import type { Stored } from '../../../lib/storage/adapter.js'
import { copyJson } from '../../../lib/storage/kit/json.js'
import { onOneAndTwo, replacing, type Mutant } from '../engine.js'

/** What is wrong with answers that come too early, too late, or with those of others. */
export const answeringMutants: Mutant[] = [
  {
    adapter: 'answers a replacement before it writes',
    flaw: () => ({
      put (rows, key, row) {
        if (rows.has(key)) inAWhile(() => rows.set(key, row))
        else rows.set(key, row)
      }
    }),
    caughtBy: [
      'value: a refusal gives back every value as a read does',
      'read: gives value and version of the last applied write together (R3)',
      'replace: the current version is applied, and nothing is called created (R6)',
      'replace: a version that was replaced since is refused (R5)',
      'replace: a list applies wherever in it the current version is (R34)',
      'replace: a list of 256 versions is as good as a short one',
      'replace: "exists" is applied whatever the version, and nothing is called created (R34)',
      'replace: "any" is applied whatever the version, and nothing is called created',
      'remove: a version that was replaced or never issued is refused, and the entity stays (R5)',
      'refusal: a refused creation changes nothing, not even replaced and digest (R41)',
      'refusal: a refused replacement changes nothing, not even replaced and digest (R41)',
      'refusal: a refused removal changes nothing, not even replaced and digest (R41)',
      'refusal: current is all that a read gives, replaced and digest included',
      'refusal: the version of current is good for the next write (R74)',
      'version: a write answers with the version that reads give from then on',
      'version: every applied write gives a new one, whatever it expected (R6)',
      'version: the same content, or content of earlier, gives a new one too (R16)',
      'replaced: names the version that the write took the place of',
      'digest: is kept beside the version by every kind of write',
      'digest: an earlier one is dropped by a write without one',
      ...onOneAndTwo(
        'contention',
        "of writers with one version exactly one is applied, and the others are told the winner's (R57)"
      ),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)'),
      ...onOneAndTwo('contention', 'writers that expect "exists" are all applied, each on top of another one'),
      ...onOneAndTwo('concurrency', 'a counter that is raised by compare-and-swap loops ends exact'),
      ...onOneAndTwo('concurrency', 'writers of different keys do not hinder one another'),
      'acknowledged: a write that was answered is what another adapter reads (R60)',
      'acknowledged: a version from one adapter is good for a write through another',
      'lifecycle: closing an adapter leaves another one on the same data at work',
      'list: an item is the key and all that a read gives',
      'faults: after mending, reads, writes and removals are as before'
    ]
  },
  {
    adapter: 'answers before it removes',
    flaw: () => ({
      drop: (rows, key) => {
        inAWhile(() => rows.delete(key))
      }
    }),
    caughtBy: [
      'key: removing one leaves all that look like it',
      'create: "absent" is applied again after a removal',
      'create: the version of a removed entity does not bring it back (R55)',
      'replace: a version of the entity that was removed and created anew is refused (R14)',
      'remove: the current version removes the entity (R6)',
      'remove: "exists" removes the entity whatever its version (R34)',
      'remove: a list that has the current version removes the entity (R34)',
      'remove: the second of two removals is refused',
      'version: never comes back after the entity was removed and created anew (R14)',
      'replaced: an entity that was created anew did not replace the removed one',
      ...onOneAndTwo('contention', 'of removers exactly one is applied, and the others find nothing'),
      ...onOneAndTwo('contention', 'creations and removals that race add up to what is there (E22)'),
      'acknowledged: a removal that was answered is an absence to another adapter (R60)',
      'acknowledged: versions of two adapters are never the same',
      'list: a removed entity is gone, and one created anew is there once',
      'acknowledged: a write and a removal that were answered show in the listing of another adapter',
      'faults: after mending, reads, writes and removals are as before'
    ]
  },
  {
    adapter: 'reads what its process has seen before',
    flaw: () => {
      const seen = new Map<string, Stored>()
      return {
        look: (rows, key) => seen.get(key) ?? rows.get(key),
        put (rows, key, row) {
          rows.set(key, row)
          seen.set(key, row)
        },
        drop (rows, key) {
          rows.delete(key)
          seen.delete(key)
        }
      }
    },
    caughtBy: [
      'concurrency, two adapters: a counter that is raised by compare-and-swap loops ends exact',
      'acknowledged: a write that was answered is what another adapter reads (R60)'
    ]
  },
  {
    adapter: 'reads the version first and the value after it',
    flaw: replacing((adapter) => ({
      async read (...args) {
        const first = await adapter.read(...args)
        const second = await adapter.read(...args)
        return first && second && { ...second, version: first.version }
      }
    })),
    caughtBy: [...onOneAndTwo('concurrency', 'readers beside writers see value and version of one write (R3, R60)')]
  },
  {
    adapter: 'reads null where nothing is',
    flaw: replacing((adapter) => ({
      read: async (...args) => (await adapter.read(...args)) ?? (null as unknown as undefined)
    })),
    caughtBy: [
      'factory: every subject has a store of its own',
      'key: removing one leaves all that look like it',
      'value: numbers that are not finite are refused with INVALID_VALUE, and nothing is changed',
      'value: undefined, functions, symbols and bigints are refused with INVALID_VALUE, and nothing is changed',
      'value: instances of classes are refused with INVALID_VALUE, and nothing is changed',
      'value: circular values are refused with INVALID_VALUE, and nothing is changed',
      'value: arrays with a hole or undefined are refused with INVALID_VALUE, and nothing is changed',
      'value: plain values around bad ones are refused with INVALID_VALUE, and nothing is changed',
      'read: a key that was never written is absent',
      'create: "exists" never creates (R7)',
      'create: a version never creates, whatever it looks like (E6)',
      'create: no list of versions creates, least of all an empty one',
      'create: the version of a removed entity does not bring it back (R55)',
      'remove: the current version removes the entity (R6)',
      'remove: "exists" removes the entity whatever its version (R34)',
      'remove: a list that has the current version removes the entity (R34)',
      ...onOneAndTwo('contention', 'of removers exactly one is applied, and the others find nothing'),
      ...onOneAndTwo('contention', 'creations and removals that race add up to what is there (E22)'),
      ...onOneAndTwo(
        'concurrency',
        'a bad write, a bad key or a refusal fails itself and none of those beside it (E28)'
      ),
      'lifecycle: a signal that is already aborted stops a write, and nothing is written',
      'acknowledged: a removal that was answered is an absence to another adapter (R60)',
      'faults: while the engine is cut off, a read rejects and never reads as absent (R59)',
      'faults: while the engine is cut off, a write rejects whatever it expects, and what is called unavailable never appears (R59, E42)',
      'faults: after mending, reads, writes and removals are as before'
    ]
  },
  {
    adapter: 'takes a key that it is still writing for a deadlock, if it writes others as well (E24)',
    flaw: replacing((adapter) => {
      const underWay: string[] = []
      return {
        async write (key, ...rest) {
          if (underWay.includes(key) && new Set(underWay).size > 1) throw new Error('deadlock detected')
          underWay.push(key)
          try {
            return await adapter.write(key, ...rest)
          } finally {
            underWay.splice(underWay.indexOf(key), 1)
          }
        }
      }
    }),
    caughtBy: [
      ...onOneAndTwo('concurrency', 'writers that take the same keys in opposite orders all get through (E24)')
    ]
  },
  {
    adapter: 'fails all writes that travel with a bad one (E28)',
    flaw: () => {
      let batch = { isBad: false }
      return {
        take (value) {
          try {
            return copyJson(value)
          } catch {
            batch.isBad = true
            return null
          }
        },
        async decide (look, act) {
          const mine = batch
          await turn()
          batch = { isBad: false }
          if (mine.isBad) throw new InvalidValueError('a value of the batch is not JSON')
          return act(look())
        }
      }
    },
    caughtBy: [
      ...onOneAndTwo(
        'concurrency',
        'a bad write, a bad key or a refusal fails itself and none of those beside it (E28)'
      ),
      'faults: what is refused without the engine is refused without it too (E4)'
    ]
  }
]

// Later than any answer, which takes one turn.
function inAWhile (step: () => unknown): void {
  turn().then(() => turn()).then(() => turn()).then(step, () => {})
}
