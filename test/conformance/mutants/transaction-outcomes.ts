import type { Locked, Stored, WriteOptions } from '../../../lib/storage/adapter.js'
import { satisfies } from '../../../lib/storage/kit/expectation.js'
import { checkKey } from '../../../lib/storage/kit/key.js'
import { newVersion } from '../../../lib/storage/kit/version.js'
import { onOneAndTwo } from '../mutant.js'
import {
  aroundOthers, aroundTransaction, bothWays, joining, outage, over, provenance, race, rollback, transaction,
  type TransactionMutant
} from '../transaction-mutant.js'

/** Adapters that compare, run works or answer wrongly. */
export const transactionOutcomeMutants: TransactionMutant[] = [
  {
    adapter: 'runs the work before it compares',
    flaw: aroundTransaction((transaction) => async (key, expectation, work, options) => {
      let current: Stored | undefined
      const refusal = new Error('refused')
      try {
        return await transaction(key, { kind: 'any' }, async (tx, locked) => {
          current = await locked.read()
          const value = await work(tx, locked)
          if (!satisfies(expectation, locked.version)) throw refusal
          return value
        }, options)
      } catch (error) {
        if (error === refusal) return { applied: false, current }
        throw error
      }
    }),
    caughtBy: [transaction.refusal, joining.refusal, provenance.refused, provenance.inside]
  },
  {
    adapter: 'answers with the version that was compared',
    flaw: aroundTransaction((transaction) => async (key, expectation, work, options) => {
      let version: string | undefined
      const result = await transaction(key, expectation, async (tx, locked) => {
        version = locked.version
        return await work(tx, locked)
      }, options)
      return result.applied ? { ...result, version } : result
    }),
    caughtBy: [
      transaction.satisfied, transaction.creation, transaction.removal, joining.applied,
      ...onOneAndTwo(race.version, race.creation, race.kinds),
      provenance.replaced
    ]
  },
  {
    adapter: 'answers with a version that no read gives',
    flaw: () => ({ answer: (result) => result.applied ? { ...result, version: newVersion() } : result }),
    caughtBy: [
      transaction.satisfied, transaction.creation, transaction.removal, joining.applied,
      ...onOneAndTwo(race.version, race.creation, race.kinds),
      provenance.replaced
    ]
  },
  {
    adapter: 'reports no transaction as a creation',
    flaw: () => ({ answer: (result) => result.applied ? { ...result, created: false } : result }),
    caughtBy: [transaction.creation, ...onOneAndTwo(race.any)]
  },
  {
    adapter: 'reports every transaction as a creation',
    flaw: () => ({ answer: (result) => result.applied ? { ...result, created: true } : result }),
    caughtBy: [transaction.satisfied, transaction.removal, joining.applied, ...onOneAndTwo(race.any)]
  },
  {
    adapter: 'gives a copy of what the work returned',
    flaw: () => ({
      answer: (result) => result.applied && typeof result.value === 'object'
        ? { ...result, value: structuredClone(result.value) }
        : result
    }),
    caughtBy: [transaction.value]
  },
  {
    adapter: 'takes an empty list of versions for no condition',
    flaw: () => ({
      satisfies: (expectation, version) => satisfies(expectation, version) ||
        (version !== undefined && expectation.kind === 'version' && expectation.versions.length === 0)
    }),
    caughtBy: [transaction.refusal, joining.refusal, provenance.refused]
  },
  {
    adapter: 'compares with the first version of a list only',
    flaw: () => ({
      satisfies: (expectation, version) => satisfies(expectation, version) &&
        (expectation.kind !== 'version' || expectation.versions[0] === version)
    }),
    caughtBy: [transaction.satisfied, transaction.locked, provenance.replaced]
  },
  {
    adapter: 'creates nothing under "any"',
    flaw: () => ({
      satisfies: ({ ...expectation }, version) =>
        satisfies(expectation.kind === 'any' ? { kind: 'exists' } : expectation, version)
    }),
    caughtBy: [
      transaction.creation, transaction.value, rollback.noCreation, provenance.creation, ...onOneAndTwo(race.any)
    ]
  },
  {
    adapter: 'refuses without the current entity',
    flaw: () => ({ refused: () => undefined }),
    caughtBy: [
      transaction.refusal, joining.refusal, transaction.aliasingRefusal,
      ...onOneAndTwo(race.version, race.creation, race.kinds),
      provenance.refused, provenance.inside, provenance.race
    ]
  },
  {
    adapter: 'gives an entity a new version when it refuses',
    flaw: aroundTransaction((transaction, engine) => async (key, ...rest) => {
      const result = await transaction(key, ...rest)
      const row = engine.rows.get(key)
      if (!result.applied && row !== undefined) engine.rows.set(key, { ...row, version: newVersion() })
      return result
    }),
    caughtBy: [
      transaction.refusal, provenance.refused, provenance.inside, provenance.race,
      ...onOneAndTwo(race.version, race.creation, race.kinds)
    ]
  },
  {
    adapter: 'does not check the key of a transaction',
    flaw: aroundTransaction((transaction) => async (key, ...rest) =>
      await transaction(isGood(key) ? key : 'another', ...rest)),
    caughtBy: [transaction.badKey]
  },
  {
    adapter: 'throws where a transaction should reject',
    flaw: aroundTransaction((transaction) => (key, ...rest) => {
      checkKey(key)
      return transaction(key, ...rest)
    }),
    caughtBy: [transaction.promise]
  },
  {
    adapter: 'gives the work no version',
    flaw: () => ({ locked: (tx, key, read) => ({ version: undefined, read }) }),
    caughtBy: [transaction.locked, joining.refusal]
  },
  {
    adapter: 'gives the work the version of the moment',
    flaw: () => ({ locked: (tx, key, read) => ({ get version () { return tx.get(key)?.version }, read }) }),
    caughtBy: [transaction.locked, transaction.lockedAbsence]
  },
  {
    adapter: 'reads the entity once for the work',
    flaw: () => ({
      locked (tx, key, read) {
        let reading: ReturnType<Locked['read']> | undefined
        return { version: tx.get(key)?.version, read: async () => await (reading ??= read()) }
      }
    }),
    caughtBy: [transaction.locked, transaction.lockedAbsence, transaction.aliasingInside]
  },
  {
    adapter: 'reads beside the transaction',
    flaw: aroundOthers((adapter) => ({
      read: async (key, options) => await adapter.read(key, { ...options, context: undefined })
    })),
    caughtBy: [transaction.inside, joining.applied]
  },
  {
    adapter: 'writes and removes other entities beside the transaction',
    flaw: aroundOthers((adapter) => ({
      write: async (key, value, expectation, options) =>
        await adapter.write(key, value, expectation, ofOwnEntity(key, options)),
      remove: async (key, expectation, options) => await adapter.remove(key, expectation, ofOwnEntity(key, options))
    })),
    caughtBy: [
      rollback.error, rollback.frozen, rollback.conflict, rollback.busy, rollback.bug, rollback.others,
      rollback.noCreation, rollback.undone, rollback.signalOnTheWay, joining.applied, joining.rolledBack,
      joining.error, outage.inWork, outage.inFlight, ...bothWays(over.worked), ...onOneAndTwo(race.dirty),
      provenance.joined
    ]
  },
  {
    adapter: 'gives the work what is stored, and not a copy',
    flaw: () => ({ locked: (tx, key) => ({ version: tx.get(key)?.version, read: async () => tx.get(key) }) }),
    caughtBy: [transaction.aliasingInside]
  },
  {
    adapter: 'refuses with what is stored, and not with a copy',
    flaw: () => ({ refused: (current) => current }),
    caughtBy: [transaction.aliasingRefusal]
  }
]

function ofOwnEntity (key: string, options: WriteOptions | undefined): WriteOptions | undefined {
  return /^(other|written|created|removed|effect)/.test(key) ? { ...options, context: undefined } : options
}

function isGood (key: string): boolean {
  try {
    checkKey(key)
    return true
  } catch {
    return false
  }
}
