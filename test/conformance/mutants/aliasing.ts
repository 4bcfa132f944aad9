import { setImmediate as turn } from 'node:timers/promises'
import { copyJson } from '../../../lib/storage/kit/json.js'
import { copyOf, type Mutant } from '../engine.js'

/** Where the store and its callers hold the same object. */
export const aliasingMutants: Mutant[] = [
  {
    adapter: 'stores the object that it was given',
    flaw: () => ({
      take (value) {
        copyJson(value)
        return value
      }
    }),
    caughtBy: [
      'aliasing: changing a value after it was written does not reach the store',
      'aliasing: changing a value while its write is under way does not reach the store'
    ]
  },
  {
    adapter: 'copies the object that it was given when it gets round to it',
    flaw: () => ({
      take (value) {
        copyJson(value)
        return value
      },
      async decide (look, act) {
        await turn()
        return act(look())
      },
      put: (rows, key, row) => rows.set(key, { ...row, value: copyJson(row.value) })
    }),
    caughtBy: [
      'aliasing: changing a value while its write is under way does not reach the store'
    ]
  },
  {
    adapter: 'hands out the object that it stores when it is read',
    flaw: () => ({ give: (row, to) => to === 'read' ? { ...row } : copyOf(row) }),
    caughtBy: [
      'aliasing: changing a value that was read does not reach the store'
    ]
  },
  {
    adapter: 'hands out its own record of an entity when it is read',
    flaw: () => ({ give: (row, to) => to === 'read' ? row : copyOf(row) }),
    caughtBy: [
      'aliasing: changing a value that was read does not reach the store',
      'aliasing: the objects that come with a read are the reader\'s own'
    ]
  },
  {
    adapter: 'hands out the object that it stores when it refuses a write',
    flaw: () => ({ give: (row, to) => to === 'write' ? { ...row } : copyOf(row) }),
    caughtBy: [
      'aliasing: changing the current of a refused write does not reach the store'
    ]
  },
  {
    adapter: 'hands out the object that it stores when it refuses a removal',
    flaw: () => ({ give: (row, to) => to === 'remove' ? { ...row } : copyOf(row) }),
    caughtBy: [
      'aliasing: changing the current of a refused removal does not reach the store'
    ]
  },
  {
    adapter: 'hands out the objects that it stores when it lists',
    flaw: () => ({ give: (row, to) => to === 'list' ? { ...row } : copyOf(row) }),
    caughtBy: [
      'aliasing: changing an item of a listing does not reach the store'
    ]
  }
]
