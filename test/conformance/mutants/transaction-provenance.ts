import type { Stored } from '../../../lib/storage/adapter.js'
import { onOneAndTwo } from '../mutant.js'
import {
  aroundOthers, aroundTransaction, provenance, race, transaction, type TransactionMutant
} from '../transaction-mutant.js'
import { Transaction } from '../transactions.js'

/** Adapters that are wrong about `replaced` and `digest` of a transaction. */
export const transactionProvenanceMutants: TransactionMutant[] = [
  {
    adapter: 'keeps neither replaced nor digest in a transaction',
    flaw: () => ({ provenance: () => ({ replaced: undefined, digest: undefined }) }),
    caughtBy: [
      provenance.claims, provenance.replaced, provenance.joined, provenance.stored, provenance.inside,
      provenance.others, provenance.race
    ]
  },
  {
    adapter: 'leaves what the last write of the work left',
    flaw: () => ({ provenance: () => ({}) }),
    caughtBy: [
      provenance.claims, provenance.replaced, provenance.creation, provenance.joined, provenance.stored,
      provenance.dropped, provenance.inside, provenance.others, provenance.race
    ]
  },
  {
    adapter: 'keeps the digest of the work where the transaction has none',
    flaw: () => ({
      provenance: (before, options) => ({
        replaced: before?.version, ...options?.digest !== undefined && { digest: options.digest }
      })
    }),
    caughtBy: [provenance.dropped]
  },
  {
    adapter: 'keeps the digest of before where the transaction has none',
    flaw: () => ({
      provenance: (before, options) => ({ replaced: before?.version, digest: options?.digest ?? before?.digest })
    }),
    caughtBy: [provenance.dropped]
  },
  {
    adapter: 'keeps no digest of a creation by a transaction',
    flaw: () => ({
      provenance: (before, options) => ({ replaced: before?.version, digest: before && options?.digest })
    }),
    caughtBy: [provenance.stored]
  },
  {
    adapter: 'stores the digest of a transaction that it refuses',
    flaw: aroundTransaction((transaction, engine) => async (key, expectation, work, options) => {
      const result = await transaction(key, expectation, work, options)
      const row = engine.rows.get(key)
      if (!result.applied && row !== undefined) engine.rows.set(key, { ...row, digest: options?.digest ?? row.digest })
      return result
    }),
    caughtBy: [provenance.refused, provenance.race]
  },
  {
    adapter: 'stores the digest ahead of the work, outside of the transaction',
    flaw: aroundTransaction((transaction, engine) => async (key, expectation, work, options) =>
      await transaction(key, expectation, async (tx, locked) => {
        const row = engine.rows.get(key)
        if (row !== undefined) engine.rows.set(key, { ...row, digest: options?.digest ?? row.digest })
        return await work(tx, locked)
      }, options)),
    caughtBy: [provenance.refused, provenance.inside]
  },
  {
    adapter: 'refuses a transaction without replaced and digest',
    flaw: () => ({ refused: (current) => current && bare(current) }),
    caughtBy: [
      transaction.refusal, transaction.aliasingRefusal, provenance.refused, provenance.inside, provenance.race,
      ...onOneAndTwo(race.version, race.kinds)
    ]
  },
  {
    adapter: 'gives the work an entity without replaced and digest',
    flaw: () => ({
      locked: (tx, key, read) => ({
        version: tx.get(key)?.version,
        async read () {
          const stored = await read()
          return stored && bare(stored)
        }
      })
    }),
    caughtBy: [provenance.inside]
  },
  {
    adapter: 'reads inside a transaction without replaced and digest',
    flaw: aroundOthers((adapter) => ({
      async read (key, options) {
        const stored = await adapter.read(key, options)
        return stored && options?.context !== undefined ? bare(stored) : stored
      }
    })),
    caughtBy: [provenance.inside]
  },
  {
    adapter: 'refuses a write inside a transaction without replaced and digest',
    flaw: aroundOthers((adapter) => ({
      async write (key, value, expectation, options) {
        const result = await adapter.write(key, value, expectation, options)
        if (result.applied || result.current === undefined || options?.context === undefined) return result
        return { ...result, current: bare(result.current) }
      }
    })),
    caughtBy: [provenance.inside]
  },
  {
    adapter: 'refuses a removal inside a transaction without replaced and digest',
    flaw: aroundOthers((adapter) => ({
      async remove (key, expectation, options) {
        const result = await adapter.remove(key, expectation, options)
        if (result.applied || result.current === undefined || options?.context === undefined) return result
        return { ...result, current: bare(result.current) }
      }
    })),
    caughtBy: [provenance.inside]
  },
  {
    adapter: 'does not hand the digest on to a transaction that joins another one',
    flaw: aroundTransaction((transaction) => async (key, expectation, work, options) =>
      await transaction(key, expectation, work, options?.context === undefined ? options : withoutDigest(options))),
    caughtBy: [provenance.others]
  },
  {
    adapter: 'does not hand the digest on to a write inside a transaction',
    flaw: aroundOthers((adapter) => ({
      write: async (key, value, expectation, options) =>
        await adapter.write(key, value, expectation, options?.context === undefined ? options : withoutDigest(options))
    })),
    caughtBy: [provenance.others]
  },
  {
    adapter: 'gives each entity that a work writes the digest of the transaction',
    flaw: aroundTransaction((transaction) => async (key, expectation, work, options) =>
      await transaction(key, expectation, async (tx: Transaction, locked) => {
        const value = await work(tx, locked)
        for (const [other, row] of tx.changes) {
          if (row !== undefined) tx.changes.set(other, { ...row, digest: options?.digest })
        }
        return value
      }, options)),
    caughtBy: [provenance.others]
  }
]

function bare ({ value, version }: Stored): Stored {
  return { value, version }
}

function withoutDigest<O extends object> (options: O): O {
  return { ...options, digest: undefined }
}
