import { StorageUnavailableError } from '../../../lib/errors.js'
import { newVersion } from '../../../lib/storage/kit/version.js'
import { replacing, type Mutant } from '../engine.js'

/** What is wrong with what they say of an outage. */
export const outageMutants: Mutant[] = [
  {
    adapter: 'reads an outage as an absence',
    flaw: replacing((adapter) => ({ read: async (...args) => await ifDown(adapter.read(...args), () => undefined) })),
    caughtBy: [
      'faults: while the engine is cut off, a read rejects and never reads as absent (R59)',
      'faults: after mending, reads, writes and removals are as before'
    ]
  },
  {
    adapter: 'lists nothing in an outage',
    flaw: replacing((adapter) => ({
      list: async (...args) => await ifDown(adapter.list!(...args), () => ({ items: [] }))
    })),
    caughtBy: ['faults: while the engine is cut off, a listing rejects and is never empty (R59)']
  },
  {
    adapter: 'swallows the error of a write',
    flaw: replacing((adapter) => ({
      write: async (...args) =>
        await ifDown(adapter.write(...args), () => ({ applied: true, version: newVersion(), created: false }))
    })),
    caughtBy: [
      'faults: while the engine is cut off, a write rejects whatever it expects, and what is called unavailable never appears (R59, E42)'
    ]
  },
  {
    adapter: 'calls an outage a refusal',
    flaw: replacing((adapter) => ({
      write: async (...args) => await ifDown(adapter.write(...args), () => ({ applied: false, current: undefined })),
      remove: async (...args) => await ifDown(adapter.remove(...args), () => ({ applied: false, current: undefined }))
    })),
    caughtBy: [
      'faults: while the engine is cut off, a write rejects whatever it expects, and what is called unavailable never appears (R59, E42)',
      'faults: while the engine is cut off, a removal rejects, and what is called unavailable never happens (R59)'
    ]
  },
  {
    adapter: 'lets the errors of its driver through',
    flaw: () => ({
      reach (engine) {
        if (engine.isCut) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      }
    }),
    caughtBy: [
      'faults: while the engine is cut off, a read rejects and never reads as absent (R59)',
      'faults: while the engine is cut off, a write rejects whatever it expects, and what is called unavailable never appears (R59, E42)',
      'faults: while the engine is cut off, a removal rejects, and what is called unavailable never happens (R59)',
      'faults: after mending, reads, writes and removals are as before',
      'faults: while the engine is cut off, a listing rejects and is never empty (R59)'
    ]
  },
  {
    adapter: 'calls a write unavailable whose answer was lost (E30)',
    flaw: () => ({ lostAnswer: () => new StorageUnavailableError() }),
    caughtBy: ['faults: writes that are under way when the engine is cut off get answers that are true (E30)']
  },
  {
    adapter: 'keeps writes for later that it called unavailable (E42)',
    flaw: replacing((adapter, engine) => ({
      async write (...args) {
        return await ifDown(adapter.write(...args), (error) => {
          engine.onMend.push(() => adapter.write(...args))
          throw error
        })
      }
    })),
    caughtBy: [
      'faults: while the engine is cut off, a write rejects whatever it expects, and what is called unavailable never appears (R59, E42)'
    ]
  },
  {
    adapter: 'asks the engine before it looks at key and value',
    flaw: replacing((adapter, engine) => ({
      async write (...args) {
        if (engine.isCut) throw new StorageUnavailableError()
        return await adapter.write(...args)
      }
    })),
    caughtBy: ['faults: what is refused without the engine is refused without it too (E4)']
  }
]

async function ifDown<R> (answer: Promise<R>, otherwise: (error: unknown) => R): Promise<R> {
  try {
    return await answer
  } catch (error) {
    if ((error as { code?: unknown }).code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE') return otherwise(error)
    throw error
  }
}
