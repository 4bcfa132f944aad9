import { setImmediate as turn } from 'node:timers/promises'
import type { Expectation } from '../../../lib/storage/adapter.js'
import { satisfies } from '../../../lib/storage/kit/expectation.js'
import { copyRow, type Parts } from '../engine.js'
import { concurrency, contention, onOneAndTwo, onTwo, refusalsTogether, type Mutant } from '../mutant.js'

const { writers, creators, removers, writersAndRemovers, sum, anyChain } = contention
const refusedRaces = [writers, creators, removers, writersAndRemovers, sum, concurrency.counter]

/** Adapters that compare wrongly, or let others in between the comparison and the write. */
export const comparingMutants: Mutant[] = [
  {
    adapter: 'compares, waits, and then writes',
    flaw: () => ({ decide: decideLate }),
    caughtBy: onOneAndTwo(...refusedRaces, anyChain)
  },
  {
    adapter: 'compares and writes one call after the other in its own process only',
    flaw: () => ({ decide: mutex() }),
    caughtBy: onTwo(...refusedRaces, anyChain)
  },
  {
    adapter: 'refuses with the entity that it read before the race',
    flaw: () => ({
      async decide (readCurrent, act) {
        const early = readCurrent()
        await turn()
        const result = act(readCurrent()) as { applied: boolean }
        return (result.applied ? result : { ...result, current: early && copyRow(early) }) as ReturnType<typeof act>
      }
    }),
    caughtBy: onOneAndTwo(...refusedRaces)
  },
  {
    adapter: 'overwrites where it should create',
    flaw: alsoSatisfied(({ kind }) => kind === 'absent'),
    caughtBy: [
      refusalsTogether,
      'value: a refusal gives every value as it was written',
      'aliasing: changing the current value of a refused write leaves the store unchanged',
      'create: "absent" is refused if the entity exists, and current is that entity (RFC 9110 13.1.2)',
      'refusal: a refused creation changes nothing, including replaced and digest',
      'refusal: current is all that a read gives, including replaced and digest',
      'refusal: the version of current is accepted by the next write',
      ...onOneAndTwo(creators, sum),
      'two adapters: one refuses with the entity that the other wrote'
    ]
  },
  {
    adapter: 'creates where it should replace',
    flaw: alsoSatisfied(({ kind }, version, change) => kind === 'exists' && change === 'write'),
    caughtBy: [
      'create: "exists" never creates (RFC 9110 13.1.1)',
      'two adapters: one sees the acknowledged removals of the other'
    ]
  },
  {
    adapter: 'takes version "0" for an absent entity',
    flaw: alsoSatisfied((expectation, version) => version === undefined && versionsOf(expectation)?.includes('0')),
    caughtBy: [
      'create: a version never creates, whatever it looks like',
      'create: a list of versions never creates, even if it is empty',
      'remove: an absent entity is refused without a current one, whatever is expected'
    ]
  },
  {
    adapter: 'takes an empty list of versions for no condition',
    flaw: alsoSatisfied((expectation, version) => version !== undefined && versionsOf(expectation)?.length === 0),
    caughtBy: [
      'replace: an empty list of versions is refused',
      'remove: an empty list of versions is refused, and the entity stays',
      'refusal: a refused replacement changes nothing, including replaced and digest',
      'refusal: a refused removal changes nothing, including replaced and digest'
    ]
  },
  {
    adapter: 'compares with the first version of a list only',
    flaw: () => ({
      satisfies: (expectation, version) =>
        satisfies(expectation, version) && (expectation.kind !== 'version' || expectation.versions[0] === version)
    }),
    caughtBy: [
      'replace: a list is applied if the current version is anywhere in it',
      'replace: a list of 256 versions is compared to its end',
      'remove: a list with the current version removes the entity',
      'replaced: is the version that the write replaced'
    ]
  },
  {
    adapter: 'accepts a version that begins with the current one',
    flaw: alsoSatisfied((expectation, version) =>
      version !== undefined && versionsOf(expectation)?.some((other) => other.startsWith(version))),
    caughtBy: ['replace: versions are compared character by character (RFC 9110 8.8.3.2)']
  },
  {
    adapter: 'removes whatever the version',
    flaw: alsoSatisfied((expectation, version, change) => version !== undefined && change === 'remove'),
    caughtBy: [
      refusalsTogether,
      'aliasing: changing the current value of a refused removal leaves the store unchanged',
      'remove: a version that was replaced or never issued is refused, and the entity stays',
      'remove: an empty list of versions is refused, and the entity stays',
      'refusal: a refused removal changes nothing, including replaced and digest',
      'refusal: current is all that a read gives, including replaced and digest',
      ...onOneAndTwo(writersAndRemovers)
    ]
  }
]

const decideLate: Parts['decide'] = async (readCurrent, act) => {
  const current = readCurrent()
  await turn()
  return act(current)
}

// Decisions follow one another, but each of them takes a turn in which another process may write.
function mutex (): Parts['decide'] {
  let last: Promise<unknown> = Promise.resolve()
  return async (readCurrent, act) => {
    const mine = last.then(async () => await decideLate(readCurrent, act))
    last = mine
    return await mine
  }
}

// A comparison that holds in more cases than it should.
function alsoSatisfied (holds: (...args: Parameters<Parts['satisfies']>) => boolean | undefined) {
  return (): Partial<Parts> => ({
    satisfies: (expectation, version, change) =>
      satisfies(expectation, version) || holds(expectation, version, change) === true
  })
}

function versionsOf (expectation: Expectation): readonly string[] | undefined {
  return expectation.kind === 'version' ? expectation.versions : undefined
}
