import { setImmediate as turn } from 'node:timers/promises'
import type { Stored } from '../../../lib/storage/adapter.js'
import { copyJson } from '../../../lib/storage/kit/json.js'
import {
  concurrency, contention, onOneAndTwo, onTwo, refusalsTogether, replacing, unlessCases, type Mutant
} from '../mutant.js'

const failingRemovals = [
  'key: removing a key leaves all similar keys',
  'create: "absent" creates again after a removal',
  'create: the version of a removed entity does not create it again',
  'replace: a version of an entity that was removed and created again is refused',
  'remove: the current version removes the entity',
  'remove: "exists" removes the entity whatever its version',
  'remove: a list with the current version removes the entity',
  'remove: the second of two removals is refused',
  'version: never comes back after the entity was removed and created again',
  'replaced: is undefined after a removed entity was created again, and so is digest',
  ...onOneAndTwo(contention.removers, contention.sum),
  unlessCases.absent,
  unlessCases.before,
  'two adapters: one sees the acknowledged removals of the other',
  'two adapters: never issue the same version',
  'list: a removed entity is not listed, and one created again is listed once',
  'two adapters: one lists the acknowledged writes of the other, and nothing that it removed',
  'faults: after an outage reads, writes and removals work as before'
]

/** Adapters whose answers come too early, are not true, or depend on other calls. */
export const answeringMutants: Mutant[] = [
  {
    adapter: 'answers a replacement before it writes',
    flaw: () => ({
      writeRow (rows, key, row) {
        if (rows.has(key)) afterTheAnswer(() => rows.set(key, row))
        else rows.set(key, row)
      }
    }),
    caughtBy: [
      refusalsTogether,
      'subject: the option "replaced" agrees with the adapter',
      'value: a refusal gives every value as it was written',
      'read: gives the value and the version of the last applied write',
      'replace: the current version is applied, and created is false',
      'replace: a version that was replaced is refused',
      'replace: a list is applied if the current version is anywhere in it',
      'replace: a list of 256 versions is compared to its end',
      'replace: "exists" is applied whatever the version, and created is false',
      'replace: "any" is applied whatever the version, and created is false',
      'remove: a version that was replaced or never issued is refused, and the entity stays',
      'refusal: a refused creation changes nothing, including replaced and digest',
      'refusal: a refused replacement changes nothing, including replaced and digest',
      'refusal: a refused removal changes nothing, including replaced and digest',
      'refusal: current is all that a read gives, including replaced and digest',
      'refusal: the version of current is accepted by the next write',
      'version: a write answers with the version that reads give from then on',
      'version: every applied write issues a new one, whatever it expected (RFC 9110 8.8.1)',
      'version: writing the same content or earlier content again issues a new one',
      'replaced: is the version that the write replaced',
      'digest: is stored by every kind of write',
      'digest: is dropped by a write without one',
      ...[unlessCases.others, unlessCases.own, unlessCases.before, unlessCases.together],
      ...onOneAndTwo(contention.writers, contention.writersAndRemovers, contention.existsChain),
      ...onOneAndTwo(concurrency.counter, concurrency.differentKeys),
      'two adapters: each reads the acknowledged writes of the other',
      'two adapters: one accepts the versions of the other',
      'two adapters: one keeps working after the other was closed',
      'list: an item is the key and all that a read gives',
      'faults: after an outage reads, writes and removals work as before'
    ]
  },
  {
    adapter: 'answers before it removes',
    flaw: () => ({ removeRow: (rows, key) => afterTheAnswer(() => rows.delete(key)) }),
    caughtBy: failingRemovals
  },
  {
    adapter: 'answers that it removed, and does not remove',
    flaw: () => ({ removeRow: () => {} }),
    caughtBy: failingRemovals
  },
  {
    adapter: 'reads what its process wrote last',
    flaw: () => {
      const seen = new Map<string, Stored>()
      return {
        readRow: (rows, key) => seen.get(key) ?? rows.get(key),
        writeRow (rows, key, row) {
          rows.set(key, row)
          seen.set(key, row)
        },
        removeRow (rows, key) {
          rows.delete(key)
          seen.delete(key)
        }
      }
    },
    caughtBy: [
      ...onTwo(concurrency.counter),
      'two adapters: each reads the acknowledged writes of the other'
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
    caughtBy: onOneAndTwo(concurrency.reads)
  },
  {
    adapter: 'reads the value first and the version after it',
    flaw: replacing((adapter) => ({
      async read (key, options) {
        const first = await adapter.read(key, { ...options, unless: undefined })
        const second = await adapter.read(key, { ...options, unless: undefined })
        return first && second && { ...second, value: first.value }
      }
    })),
    caughtBy: onOneAndTwo(concurrency.reads, concurrency.newerVersion)
  },
  {
    adapter: 'reads an absent entity as null',
    flaw: replacing((adapter) => ({
      read: async (...args) => (await adapter.read(...args)) ?? (null as unknown as undefined)
    })),
    caughtBy: [
      'subject: every call of createAdapter gives an empty store of its own',
      'key: removing a key leaves all similar keys',
      'value: infinite numbers are refused with INVALID_VALUE, and nothing changes',
      'value: NaN, undefined, functions, symbols and bigints are refused with NOT_JSON, and nothing changes',
      'value: instances of classes are refused with NOT_JSON, and nothing changes',
      'value: circular values are refused with NOT_JSON, and nothing changes',
      'value: arrays with a hole or undefined are refused with NOT_JSON, and nothing changes',
      'value: bad values inside good ones are refused with NOT_JSON, and nothing changes',
      'read: a key that was never written is absent',
      'create: "exists" never creates (RFC 9110 13.1.1)',
      'create: a version never creates, whatever it looks like',
      'create: a list of versions never creates, even if it is empty',
      'create: the version of a removed entity does not create it again',
      'remove: the current version removes the entity',
      'remove: "exists" removes the entity whatever its version',
      'remove: a list with the current version removes the entity',
      unlessCases.absent,
      ...onOneAndTwo(contention.removers, contention.sum, concurrency.badNeighbours),
      'context: one that the adapter cannot use is refused with INVALID_OPTIONS, and nothing is done',
      'lifecycle: a write with an aborted signal rejects, and nothing is written',
      'two adapters: one sees the acknowledged removals of the other',
      'faults: during an outage a read rejects, and never reports absence',
      'faults: during an outage a write rejects, and STORAGE_UNAVAILABLE means that it is never applied',
      'faults: after an outage reads, writes and removals work as before'
    ]
  },
  {
    adapter: 'reports a deadlock for a key that it is already writing together with others',
    flaw: replacing((adapter) => {
      const inFlight: string[] = []
      return {
        async write (key, ...rest) {
          if (inFlight.includes(key) && new Set(inFlight).size > 1) throw new Error('deadlock detected')
          inFlight.push(key)
          try {
            return await adapter.write(key, ...rest)
          } finally {
            inFlight.splice(inFlight.indexOf(key), 1)
          }
        }
      }
    }),
    caughtBy: [refusalsTogether, ...onOneAndTwo(concurrency.oppositeOrders)]
  },
  {
    adapter: 'fails every write of a batch with a bad value',
    flaw: () => {
      let batch: { error?: unknown } = {}
      return {
        copyIn (value) {
          try {
            return copyJson(value)
          } catch (error) {
            batch.error = error
            return null
          }
        },
        async decide (readCurrent, act) {
          const mine = batch
          await turn()
          batch = {}
          if (mine.error !== undefined) throw mine.error
          return act(readCurrent())
        }
      }
    },
    caughtBy: [
      ...onOneAndTwo(concurrency.badNeighbours),
      'faults: during an outage bad keys get INVALID_KEY, and bad values INVALID_VALUE or NOT_JSON'
    ]
  }
]

// An answer takes one turn.
function afterTheAnswer (step: () => unknown): void {
  turn().then(() => turn()).then(() => turn()).then(step, () => {})
}
