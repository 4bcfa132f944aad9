import { setImmediate as turn } from 'node:timers/promises'
import { satisfies } from '../../../lib/storage/expectation.js'
import { newVersion } from '../../../lib/storage/version.js'
import { copyOf, onOneAndTwo, replacing, type Mutant, type Parts } from '../engine.js'

/** What is wrong between the comparison and the write. */
export const comparingMutants: Mutant[] = [
  {
    adapter: 'compares, waits, and then writes',
    flaw: () => ({
      async decide (look, act) {
        const current = look()
        await turn()
        return act(current)
      }
    }),
    caughtBy: [
      ...onOneAndTwo('contention', 'of writers with one version exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of creators exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of removers exactly one is applied, and the others find nothing'),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)'),
      ...onOneAndTwo('contention', 'creations and removals that race add up to what is there (E22)'),
      ...onOneAndTwo('contention', 'writers that expect nothing are all applied, and one of them creates'),
      ...onOneAndTwo('concurrency', 'a counter that is raised by compare-and-swap loops ends exact')
    ]
  },
  {
    adapter: 'compares and writes in turn within its own process, and in no other',
    flaw: () => ({ decide: inTurn() }),
    caughtBy: [
      'contention, two adapters: of writers with one version exactly one is applied, and the others are told the winner\'s (R57)',
      'contention, two adapters: of creators exactly one is applied, and the others are told the winner\'s (R57)',
      'contention, two adapters: of removers exactly one is applied, and the others find nothing',
      'contention, two adapters: of writers and removers with one version exactly one is applied (E54)',
      'contention, two adapters: creations and removals that race add up to what is there (E22)',
      'contention, two adapters: writers that expect nothing are all applied, and one of them creates',
      'concurrency, two adapters: a counter that is raised by compare-and-swap loops ends exact'
    ]
  },
  {
    adapter: 'refuses with what it saw before the race (E21)',
    flaw: () => ({
      async decide (look, act) {
        const seen = look()
        await turn()
        const result = act(look()) as { applied: boolean }
        return (result.applied ? result : { ...result, current: seen && copyOf(seen) }) as ReturnType<typeof act>
      }
    }),
    caughtBy: [
      ...onOneAndTwo('contention', 'of writers with one version exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of creators exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of removers exactly one is applied, and the others find nothing'),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)'),
      ...onOneAndTwo('contention', 'creations and removals that race add up to what is there (E22)'),
      ...onOneAndTwo('concurrency', 'a counter that is raised by compare-and-swap loops ends exact')
    ]
  },
  {
    adapter: 'overwrites where it should create',
    flaw: () => ({ satisfies: (expectation, version) => expectation.kind === 'absent' || satisfies(expectation, version) }),
    caughtBy: [
      'value: a refusal gives back every value as a read does',
      'aliasing: changing the current of a refused write does not reach the store',
      'create: "absent" is refused when there is an entity, which is the current one (R35)',
      'refusal: a refused creation changes nothing, not even replaced and digest (R41)',
      'refusal: current is all that a read gives, replaced and digest included',
      'refusal: the version of current is good for the next write (R74)',
      ...onOneAndTwo('contention', 'of creators exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'creations and removals that race add up to what is there (E22)'),
      'acknowledged: another adapter refuses by what is there now, and says so'
    ]
  },
  {
    adapter: 'creates where it should replace',
    flaw: () => ({ satisfies: (expectation, version, change) => (change === 'write' && expectation.kind === 'exists') || satisfies(expectation, version) }),
    caughtBy: [
      'create: "exists" never creates (R7)',
      'acknowledged: a removal that was answered is an absence to another adapter (R60)'
    ]
  },
  {
    adapter: 'takes version "0" for an absent entity (E6)',
    flaw: () => ({ satisfies: (expectation, version) => satisfies(expectation, version) || (version === undefined && lists(expectation, '0')) }),
    caughtBy: [
      'create: a version never creates, whatever it looks like (E6)',
      'create: no list of versions creates, least of all an empty one',
      'remove: an absent entity is refused without a current one, whatever is expected (R55)'
    ]
  },
  {
    adapter: 'takes an empty list of versions for no condition',
    flaw: () => ({
      satisfies: (expectation, version) => satisfies(expectation, version) ||
        (version !== undefined && expectation.kind === 'version' && expectation.versions.length === 0)
    }),
    caughtBy: [
      'replace: an empty list of versions never matches',
      'remove: an empty list of versions never matches',
      'refusal: a refused replacement changes nothing, not even replaced and digest (R41)',
      'refusal: a refused removal changes nothing, not even replaced and digest (R41)'
    ]
  },
  {
    adapter: 'looks at the first version of a list only',
    flaw: () => ({
      satisfies: (expectation, version) => satisfies(expectation, version) &&
        (expectation.kind !== 'version' || expectation.versions[0] === version)
    }),
    caughtBy: [
      'replace: a list applies wherever in it the current version is (R34)',
      'replace: a list of 256 versions is as good as a short one',
      'remove: a list that has the current version removes the entity (R34)',
      'replaced: names the version that the write took the place of'
    ]
  },
  {
    adapter: 'compares versions by how they begin',
    flaw: () => ({
      satisfies: (expectation, version) => satisfies(expectation, version) ||
        (version !== undefined && expectation.kind === 'version' && expectation.versions.some((other) => other.startsWith(version)))
    }),
    caughtBy: [
      'replace: versions are compared octet by octet (R19)'
    ]
  },
  {
    adapter: 'removes whatever the version',
    flaw: () => ({ satisfies: (expectation, version, change) => change === 'remove' ? version !== undefined : satisfies(expectation, version) }),
    caughtBy: [
      'aliasing: changing the current of a refused removal does not reach the store',
      'remove: a version that was replaced or never issued is refused, and the entity stays (R5)',
      'remove: an empty list of versions never matches',
      'refusal: a refused removal changes nothing, not even replaced and digest (R41)',
      'refusal: current is all that a read gives, replaced and digest included',
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)')
    ]
  },
  {
    adapter: 'says that it removed, and does not',
    flaw: () => ({ drop: () => {} }),
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
    adapter: 'removes all that begins like the key',
    flaw: () => ({
      drop (rows, key) {
        for (const other of rows.keys()) if (other.startsWith(key)) rows.delete(other)
      }
    }),
    caughtBy: [
      'key: removing one leaves all that look like it',
      'remove: entities whose keys begin alike stay'
    ]
  },
  {
    adapter: 'calls every write a creation',
    flaw: replacing((adapter) => ({
      async write (...args) {
        const result = await adapter.write(...args)
        return result.applied ? { ...result, created: true } : result
      }
    })),
    caughtBy: [
      'replace: the current version is applied, and nothing is called created (R6)',
      'replace: "exists" is applied whatever the version, and nothing is called created (R34)',
      'replace: "any" is applied whatever the version, and nothing is called created',
      ...onOneAndTwo('contention', 'writers that expect nothing are all applied, and one of them creates')
    ]
  },
  {
    adapter: 'calls no write a creation',
    flaw: replacing((adapter) => ({
      async write (...args) {
        const result = await adapter.write(...args)
        return result.applied ? { ...result, created: false } : result
      }
    })),
    caughtBy: [
      'key: odd characters, letter cases and spaces make distinct keys',
      'create: "absent" is applied to an absent entity, and says created (R55)',
      'create: "absent" is applied again after a removal',
      'create: "any" creates an absent entity, and says so',
      ...onOneAndTwo('contention', 'writers that expect nothing are all applied, and one of them creates')
    ]
  },
  {
    adapter: 'refuses without saying what is there',
    flaw: replacing((adapter) => ({
      async write (...args) {
        const result = await adapter.write(...args)
        return result.applied ? result : { applied: false, current: undefined }
      }
    })),
    caughtBy: [
      'value: a refusal gives back every value as a read does',
      'aliasing: changing the current of a refused write does not reach the store',
      'create: "absent" is refused when there is an entity, which is the current one (R35)',
      'replace: a version that was never issued is refused (R5)',
      'replace: a version that was replaced since is refused (R5)',
      'replace: a version of the entity that was removed and created anew is refused (R14)',
      'replace: a list of 256 versions is as good as a short one',
      'replace: a list without the current version is refused (R34)',
      'replace: an empty list of versions never matches',
      'refusal: a refused creation changes nothing, not even replaced and digest (R41)',
      'refusal: current is all that a read gives, replaced and digest included',
      'refusal: the version of current is good for the next write (R74)',
      ...onOneAndTwo('contention', 'of writers with one version exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of creators exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)'),
      ...onOneAndTwo('contention', 'creations and removals that race add up to what is there (E22)'),
      ...onOneAndTwo('concurrency', 'a counter that is raised by compare-and-swap loops ends exact'),
      'acknowledged: a version from one adapter is good for a write through another',
      'acknowledged: another adapter refuses by what is there now, and says so'
    ]
  },
  {
    adapter: 'refuses without saying replaced and digest',
    flaw: replacing((adapter) => ({
      async write (...args) {
        const result = await adapter.write(...args)
        if (result.applied || result.current === undefined) return result
        const { value, version } = result.current
        return { applied: false, current: { value, version } }
      }
    })),
    caughtBy: [
      'replace: a version that was replaced since is refused (R5)',
      'refusal: current is all that a read gives, replaced and digest included',
      ...onOneAndTwo('contention', 'of writers with one version exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)')
    ]
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
      'create: "absent" is refused when there is an entity, which is the current one (R35)',
      'replace: a version that was never issued is refused (R5)',
      'replace: a version that was replaced since is refused (R5)',
      'replace: a version of the entity that was removed and created anew is refused (R14)',
      'replace: versions are compared octet by octet (R19)',
      'replace: a list of 256 versions is as good as a short one',
      'replace: a list without the current version is refused (R34)',
      'replace: an empty list of versions never matches',
      'remove: a version that was replaced or never issued is refused, and the entity stays (R5)',
      'remove: an empty list of versions never matches',
      'refusal: a refused creation changes nothing, not even replaced and digest (R41)',
      'refusal: a refused replacement changes nothing, not even replaced and digest (R41)',
      'refusal: a refused removal changes nothing, not even replaced and digest (R41)',
      'refusal: current is all that a read gives, replaced and digest included',
      'refusal: the version of current is good for the next write (R74)',
      ...onOneAndTwo('contention', 'of writers with one version exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of creators exactly one is applied, and the others are told the winner\'s (R57)'),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)'),
      ...onOneAndTwo('concurrency', 'a counter that is raised by compare-and-swap loops ends exact')
    ]
  }
]

// What a mutex in JavaScript gives.
function inTurn (): Parts['decide'] {
  let last: Promise<unknown> = Promise.resolve()
  return async (look, act) => {
    const mine = last.then(async () => {
      const current = look()
      await turn()
      return act(current)
    })
    last = mine
    return await mine
  }
}

function lists (expectation: Parameters<Parts['satisfies']>[0], version: string): boolean {
  return expectation.kind === 'version' && expectation.versions.includes(version)
}
