import { checkKey } from '../../../lib/storage/kit/key.js'
import { replacing, type Mutant } from '../engine.js'

/** What is wrong with promises, signals, opening and closing. */
export const lifecycleMutants: Mutant[] = [
  {
    adapter: 'throws where it should reject',
    flaw: replacing((adapter) => ({
      read (key, options) {
        checkKey(key)
        return adapter.read(key, options)
      }
    })),
    caughtBy: [
      'lifecycle: read, write and remove return promises, also for what they refuse'
    ]
  },
  {
    adapter: 'closes without a promise',
    flaw: replacing(() => ({ close: () => undefined as unknown as Promise<void> })),
    caughtBy: [
      'lifecycle: open and close may be left out; where they are, they return promises'
    ]
  },
  {
    adapter: 'cannot close what it never opened',
    flaw: replacing(() => {
      let isOpen = false
      return {
        async open () { isOpen = true },
        async close () { if (!isOpen) throw new Error('not open') }
      }
    }),
    caughtBy: [
      'lifecycle: close is fine when nothing was opened'
    ]
  },
  {
    adapter: 'ends what all adapters share when it is closed',
    flaw: replacing((adapter, engine) => ({ async close () { engine.isCut = true } })),
    caughtBy: [
      'lifecycle: closing an adapter leaves another one on the same data at work'
    ]
  },
  {
    adapter: 'does not look at the signal',
    flaw: () => ({ checkSignal: () => {} }),
    caughtBy: [
      'lifecycle: a signal that is already aborted stops a read',
      'lifecycle: a signal that is already aborted stops a write, and nothing is written',
      'lifecycle: a signal that is already aborted stops a removal, and nothing is removed',
      'lifecycle: a signal that is already aborted stops a listing'
    ]
  },
  {
    adapter: 'gives up a write that is under way when the signal aborts',
    flaw: replacing((adapter) => ({
      async write (key, value, expectation, options) {
        const result = await adapter.write(key, value, expectation, options)
        options?.signal?.throwIfAborted()
        return result
      }
    })),
    caughtBy: [
      'lifecycle: a signal that aborts while a write is under way leaves an answer that is true'
    ]
  },
  {
    adapter: 'confirms a write that it took back because the signal aborted meanwhile',
    flaw: replacing((adapter, engine) => ({
      async write (key, value, expectation, options) {
        const result = await adapter.write(key, value, expectation, options)
        if (options?.signal?.aborted === true) engine.rows.delete(key)
        return result
      }
    })),
    caughtBy: [
      'lifecycle: a signal that aborts while a write is under way leaves an answer that is true'
    ]
  },
  {
    adapter: 'takes a write back when the signal aborts after its answer',
    flaw: replacing((adapter, engine) => ({
      async write (key, value, expectation, options) {
        const result = await adapter.write(key, value, expectation, options)
        options?.signal?.addEventListener('abort', () => engine.rows.delete(key))
        return result
      }
    })),
    caughtBy: [
      'lifecycle: a signal that aborts after the answer changes nothing'
    ]
  }
]
