import { setImmediate as turn } from 'node:timers/promises'
import { copyJson } from '../../../lib/storage/kit/json.js'
import { copyRow, type Operation } from '../engine.js'
import type { Flaw, Mutant } from '../mutant.js'

/** Adapters that hold the same object as their callers. */
export const aliasingMutants: Mutant[] = [
  {
    adapter: 'stores the object that it was given',
    flaw: () => ({ copyIn }),
    caughtBy: [
      'aliasing: changing a value after its write leaves the store unchanged',
      'aliasing: changing a value during its write leaves the store unchanged'
    ]
  },
  {
    adapter: 'copies the object that it was given a turn later',
    flaw: () => ({
      copyIn,
      async decide (readCurrent, act) {
        await turn()
        return act(readCurrent())
      },
      writeRow: (rows, key, row) => rows.set(key, copyRow(row))
    }),
    caughtBy: ['aliasing: changing a value during its write leaves the store unchanged']
  },
  {
    adapter: 'hands out its row of an entity when it is read',
    flaw: () => ({ copyOut: (row, operation) => operation === 'read' ? row : copyRow(row) }),
    caughtBy: [
      'aliasing: changing a value that was read leaves the store unchanged',
      'aliasing: changing the object that a read gave leaves the store unchanged'
    ]
  },
  {
    adapter: 'hands out the value that it stores when it is read',
    flaw: sharingValueOn('read'),
    caughtBy: ['aliasing: changing a value that was read leaves the store unchanged']
  },
  {
    adapter: 'hands out the value that it stores when it refuses a write',
    flaw: sharingValueOn('write'),
    caughtBy: ['aliasing: changing the current value of a refused write leaves the store unchanged']
  },
  {
    adapter: 'hands out the value that it stores when it refuses a removal',
    flaw: sharingValueOn('remove'),
    caughtBy: ['aliasing: changing the current value of a refused removal leaves the store unchanged']
  },
  {
    adapter: 'hands out the values that it stores when it lists',
    flaw: sharingValueOn('list'),
    caughtBy: ['aliasing: changing an item of a listing leaves the store unchanged']
  }
]

// Checks the value, and copies nothing.
function copyIn (value: unknown): unknown {
  copyJson(value)
  return value
}

function sharingValueOn (shared: Operation): Flaw {
  return () => ({ copyOut: (row, operation) => operation === shared ? { ...row } : copyRow(row) })
}
