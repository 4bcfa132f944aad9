import { newVersion } from '../../../lib/storage/kit/version.js'
import { onOneAndTwo, replacing, type Mutant } from '../engine.js'

/** What is wrong with what is done after the comparison, and with what is said about it. */
export const outcomeMutants: Mutant[] = [
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
    caughtBy: ['key: removing one leaves all that look like it', 'remove: entities whose keys begin alike stay']
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
      ...onOneAndTwo(
        'contention',
        "of writers with one version exactly one is applied, and the others are told the winner's (R57)"
      ),
      ...onOneAndTwo('contention', "of creators exactly one is applied, and the others are told the winner's (R57)"),
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
      ...onOneAndTwo(
        'contention',
        "of writers with one version exactly one is applied, and the others are told the winner's (R57)"
      ),
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
      ...onOneAndTwo(
        'contention',
        "of writers with one version exactly one is applied, and the others are told the winner's (R57)"
      ),
      ...onOneAndTwo('contention', "of creators exactly one is applied, and the others are told the winner's (R57)"),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)'),
      ...onOneAndTwo('concurrency', 'a counter that is raised by compare-and-swap loops ends exact')
    ]
  }
]
