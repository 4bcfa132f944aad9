import { checkKey } from '../../../lib/storage/kit/key.js'
import { replacing, type Flaw, type Mutant } from '../mutant.js'

const truthful = 'lifecycle: a write whose signal aborts during the write is answered truthfully'

/** Adapters that are wrong about promises, signals, opening or closing. */
export const lifecycleMutants: Mutant[] = [
  {
    adapter: 'throws where it should reject',
    flaw: replacing((adapter) => ({
      read (key, options) {
        checkKey(key)
        return adapter.read(key, options)
      }
    })),
    caughtBy: ['lifecycle: read, write and remove return promises, also for arguments that they refuse']
  },
  {
    adapter: 'closes without a promise',
    flaw: replacing(() => ({ close: () => undefined as unknown as Promise<void> })),
    caughtBy: ['lifecycle: open and close, if there are any, return promises']
  },
  {
    adapter: 'cannot close if it was never opened',
    flaw: replacing(() => {
      let isOpen = false
      return {
        async open () { isOpen = true },
        async close () { if (!isOpen) throw new Error('not open') }
      }
    }),
    caughtBy: ['lifecycle: close resolves if the adapter was never opened']
  },
  {
    adapter: 'closes what other adapters use',
    flaw: replacing((adapter, engine) => ({ async close () { engine.isCut = true } })),
    caughtBy: ['two adapters: one keeps working after the other was closed']
  },
  {
    adapter: 'ignores signals',
    flaw: () => ({ checkSignal: () => {} }),
    caughtBy: [
      'lifecycle: a read with an aborted signal rejects',
      'lifecycle: a write with an aborted signal rejects, and nothing is written',
      'lifecycle: a removal with an aborted signal rejects, and nothing is removed',
      'lifecycle: a listing with an aborted signal rejects'
    ]
  },
  {
    adapter: 'rejects an applied write because the signal aborted meanwhile',
    flaw: afterWriting((signal) => signal.throwIfAborted()),
    caughtBy: [truthful]
  },
  {
    adapter: 'confirms a write that it took back because the signal aborted meanwhile',
    flaw: afterWriting((signal, takeBack) => { if (signal.aborted) takeBack() }),
    caughtBy: [truthful]
  },
  {
    adapter: 'takes a write back if the signal aborts after its answer',
    flaw: afterWriting((signal, takeBack) => signal.addEventListener('abort', takeBack)),
    caughtBy: ['lifecycle: a signal that aborts after the answer changes nothing']
  }
]

// A step between an applied write with a signal and its answer.
function afterWriting (step: (signal: AbortSignal, takeBack: () => void) => void): Flaw {
  return replacing((adapter, engine) => ({
    async write (key, value, expectation, options) {
      const result = await adapter.write(key, value, expectation, options)
      if (options?.signal !== undefined) step(options.signal, () => engine.rows.delete(key))
      return result
    }
  }))
}
