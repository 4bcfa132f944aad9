import { setImmediate as turn } from 'node:timers/promises'
import { satisfies } from '../../../lib/storage/kit/expectation.js'
import { copyOf, onOneAndTwo, type Mutant, type Parts } from '../engine.js'

/** What is wrong with the comparison, and between it and the write. */
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
      ...onOneAndTwo(
        'contention',
        "of writers with one version exactly one is applied, and the others are told the winner's (R57)"
      ),
      ...onOneAndTwo('contention', "of creators exactly one is applied, and the others are told the winner's (R57)"),
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
      "contention, two adapters: of writers with one version exactly one is applied, and the others are told the winner's (R57)",
      "contention, two adapters: of creators exactly one is applied, and the others are told the winner's (R57)",
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
      ...onOneAndTwo(
        'contention',
        "of writers with one version exactly one is applied, and the others are told the winner's (R57)"
      ),
      ...onOneAndTwo('contention', "of creators exactly one is applied, and the others are told the winner's (R57)"),
      ...onOneAndTwo('contention', 'of removers exactly one is applied, and the others find nothing'),
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)'),
      ...onOneAndTwo('contention', 'creations and removals that race add up to what is there (E22)'),
      ...onOneAndTwo('concurrency', 'a counter that is raised by compare-and-swap loops ends exact')
    ]
  },
  {
    adapter: 'overwrites where it should create',
    flaw: () => ({
      satisfies: (expectation, version) => expectation.kind === 'absent' || satisfies(expectation, version)
    }),
    caughtBy: [
      'value: a refusal gives back every value as a read does',
      'aliasing: changing the current of a refused write does not reach the store',
      'create: "absent" is refused when there is an entity, which is the current one (R35)',
      'refusal: a refused creation changes nothing, not even replaced and digest (R41)',
      'refusal: current is all that a read gives, replaced and digest included',
      'refusal: the version of current is good for the next write (R74)',
      ...onOneAndTwo('contention', "of creators exactly one is applied, and the others are told the winner's (R57)"),
      ...onOneAndTwo('contention', 'creations and removals that race add up to what is there (E22)'),
      'acknowledged: another adapter refuses by what is there now, and says so'
    ]
  },
  {
    adapter: 'creates where it should replace',
    flaw: () => ({
      satisfies: (expectation, version, change) =>
        (change === 'write' && expectation.kind === 'exists') || satisfies(expectation, version)
    }),
    caughtBy: [
      'create: "exists" never creates (R7)',
      'acknowledged: a removal that was answered is an absence to another adapter (R60)'
    ]
  },
  {
    adapter: 'takes version "0" for an absent entity (E6)',
    flaw: () => ({
      satisfies: (expectation, version) =>
        satisfies(expectation, version) || (version === undefined && lists(expectation, '0'))
    }),
    caughtBy: [
      'create: a version never creates, whatever it looks like (E6)',
      'create: no list of versions creates, least of all an empty one',
      'remove: an absent entity is refused without a current one, whatever is expected (R55)'
    ]
  },
  {
    adapter: 'takes an empty list of versions for no condition',
    flaw: () => ({
      satisfies: (expectation, version) =>
        satisfies(expectation, version) ||
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
      satisfies: (expectation, version) =>
        satisfies(expectation, version) && (expectation.kind !== 'version' || expectation.versions[0] === version)
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
      satisfies: (expectation, version) =>
        satisfies(expectation, version) ||
        (version !== undefined &&
          expectation.kind === 'version' &&
          expectation.versions.some((other) => other.startsWith(version)))
    }),
    caughtBy: ['replace: versions are compared octet by octet (R19)']
  },
  {
    adapter: 'removes whatever the version',
    flaw: () => ({
      satisfies: (expectation, version, change) =>
        change === 'remove' ? version !== undefined : satisfies(expectation, version)
    }),
    caughtBy: [
      'aliasing: changing the current of a refused removal does not reach the store',
      'remove: a version that was replaced or never issued is refused, and the entity stays (R5)',
      'remove: an empty list of versions never matches',
      'refusal: a refused removal changes nothing, not even replaced and digest (R41)',
      'refusal: current is all that a read gives, replaced and digest included',
      ...onOneAndTwo('contention', 'of writers and removers with one version exactly one is applied (E54)')
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
