import { OutcomeUnknownError, StorageUnavailableError } from '../../../lib/errors.js'
import { newVersion } from '../../../lib/storage/kit/version.js'
import { replacing, type Flaw, type Mutant } from '../mutant.js'

const read = 'faults: during an outage a read rejects, and never reports absence'
const write = 'faults: during an outage a write rejects, and STORAGE_UNAVAILABLE means that it is never applied'
const remove = 'faults: during an outage a removal rejects, and STORAGE_UNAVAILABLE means that it is never applied'
const list = 'faults: during an outage a listing rejects, and is never empty'
const after = 'faults: after an outage reads, writes and removals work as before'

/** Adapters that say something wrong of an outage. */
export const outageMutants: Mutant[] = [
  {
    adapter: 'reads an outage as an absence',
    flaw: replacing((adapter) => ({ read: async (...args) => await ifDown(adapter.read(...args), () => undefined) })),
    caughtBy: [read, after]
  },
  {
    adapter: 'lists nothing in an outage',
    flaw: replacing((adapter) => ({
      list: async (...args) => await ifDown(adapter.list!(...args), () => ({ items: [] }))
    })),
    caughtBy: [list]
  },
  {
    adapter: 'confirms writes in an outage',
    flaw: replacing((adapter) => ({
      write: async (...args) =>
        await ifDown(adapter.write(...args), () => ({ applied: true, version: newVersion(), created: false }))
    })),
    caughtBy: [write]
  },
  {
    adapter: 'refuses writes and removals in an outage',
    flaw: replacing((adapter) => ({
      write: async (...args) => await ifDown(adapter.write(...args), () => ({ applied: false, current: undefined })),
      remove: async (...args) => await ifDown(adapter.remove(...args), () => ({ applied: false, current: undefined }))
    })),
    caughtBy: [write, remove]
  },
  {
    adapter: 'lets the errors of its driver through',
    flaw: () => ({
      reachEngine (engine) {
        if (engine.isCut) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      }
    }),
    caughtBy: [read, write, remove, after, list]
  },
  {
    adapter: 'reports STORAGE_UNAVAILABLE for a write whose answer was lost',
    flaw: () => ({ lostAnswer: () => new StorageUnavailableError() }),
    caughtBy: ['faults: writes in flight when an outage starts are answered truthfully']
  },
  {
    adapter: 'queues writes that it rejected with STORAGE_UNAVAILABLE, and sends them later',
    flaw: replacing((adapter, engine) => ({
      write: async (...args) => await ifDown(adapter.write(...args), (error) => {
        engine.onMend.push(() => adapter.write(...args))
        throw error
      })
    })),
    caughtBy: [write]
  },
  {
    adapter: 'asks the engine before it checks key and value',
    flaw: replacing((adapter, engine) => ({
      async write (...args) {
        if (engine.isCut) throw new StorageUnavailableError()
        return await adapter.write(...args)
      }
    })),
    caughtBy: ['faults: during an outage bad keys get INVALID_KEY, and bad values INVALID_VALUE or NOT_JSON']
  }
]

/** No flaw: the contract allows it. The outcome of every change in an outage is unknown, and each is sent later. */
export const unknownInOutages: Flaw = replacing((adapter, engine) => {
  const later = (change: () => Promise<unknown>) => (): never => {
    engine.onMend.push(change)
    throw new OutcomeUnknownError()
  }
  return {
    write: async (...args) => await ifDown(adapter.write(...args), later(() => adapter.write(...args))),
    remove: async (...args) => await ifDown(adapter.remove(...args), later(() => adapter.remove(...args)))
  }
})

async function ifDown<R> (answer: Promise<R>, otherwise: (error: unknown) => R): Promise<R> {
  try {
    return await answer
  } catch (error) {
    if ((error as { code?: unknown }).code === 'FST_IF_MATCH_STORAGE_UNAVAILABLE') return otherwise(error)
    throw error
  }
}
