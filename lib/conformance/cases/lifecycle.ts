import assert from 'node:assert/strict'
import { assertApplied, assertSame, assertTruthful } from '../assert.js'
import type { Cases, CreateAdapter, Subject } from '../harness.js'
import { ABSENT, ANY, create, EXISTS, list, put, readPresent, transact } from '../steps.js'

function aborted (): { signal: AbortSignal } {
  return { signal: AbortSignal.abort() }
}

async function assertReturnsPromise (call: () => unknown): Promise<void> {
  let returned: unknown
  assert.doesNotThrow(() => { returned = call() }, 'it threw instead of returning a promise')
  assert.equal(typeof (returned as Promise<unknown> | undefined)?.then, 'function', 'it returned no promise')
  await Promise.allSettled([returned])
}

export function lifecycleCases (createAdapter: CreateAdapter): Cases {
  // Not opened by the harness.
  async function withUnopened (run: (adapter: Subject['adapter']) => Promise<void>): Promise<void> {
    const subject = await createAdapter()
    try {
      await run(subject.adapter)
    } finally {
      await subject.close?.()
    }
  }

  return {
    'lifecycle: open and close, if there are any, return promises': async () => {
      await withUnopened(async (adapter) => {
        if (adapter.open !== undefined) await assertReturnsPromise(() => adapter.open?.())
        if (adapter.close !== undefined) await assertReturnsPromise(() => adapter.close?.())
      })
    },

    'lifecycle: close resolves if the adapter was never opened': async () => {
      await withUnopened(async (adapter) => await adapter.close?.())
    },

    'lifecycle: read, write and remove return promises, also for arguments that they refuse': async ({ adapter }) => {
      await create(adapter, 'k', 1)
      for (const key of ['k', 'absent', '', 1 as unknown as string]) {
        await assertReturnsPromise(() => adapter.read(key))
        await assertReturnsPromise(() => adapter.write(key, 1, ABSENT))
        await assertReturnsPromise(() => adapter.write(key, NaN, ANY))
        await assertReturnsPromise(() => adapter.remove(key, EXISTS))
        await assertReturnsPromise(() => adapter.read(key, aborted()))
      }
    },

    'lifecycle: a read with an aborted signal rejects': async ({ adapter }) => {
      await create(adapter, 'k', 1)
      await assert.rejects(adapter.read('k', aborted()))
      await assert.rejects(adapter.read('absent', aborted()))
    },

    'lifecycle: a write with an aborted signal rejects, and nothing is written': async ({ adapter }) => {
      await create(adapter, 'k', 1)
      const before = await readPresent(adapter, 'k')
      await assert.rejects(adapter.write('k', 2, EXISTS, aborted()))
      await assert.rejects(adapter.write('absent', 2, ANY, aborted()))
      assertSame(await adapter.read('k'), before)
      assert.equal(await adapter.read('absent'), undefined)
    },

    'lifecycle: a removal with an aborted signal rejects, and nothing is removed': async ({ adapter }) => {
      await create(adapter, 'k', 1)
      const before = await readPresent(adapter, 'k')
      await assert.rejects(adapter.remove('k', EXISTS, aborted()))
      assertSame(await adapter.read('k'), before)
    },

    'lifecycle: a write whose signal aborts during the write is answered truthfully': async ({ adapter }) => {
      const controller = new AbortController()
      const writing = adapter.write('k', 1, ABSENT, { signal: controller.signal })
      controller.abort()
      const [answer] = await Promise.allSettled([writing])
      await assertTruthful(adapter, ['k'], answer)
    },

    'lifecycle: a signal that aborts after the answer changes nothing': async ({ adapter }) => {
      const controller = new AbortController()
      assertApplied(await adapter.write('k', 1, ABSENT, { signal: controller.signal }))
      controller.abort()
      assert.equal((await readPresent(adapter, 'k')).value, 1)
    }
  }
}

export const listLifecycleCases: Cases = {
  'lifecycle: list returns a promise, also for arguments that it refuses': async ({ adapter }) => {
    await assertReturnsPromise(() => list(adapter, 'notes/', { limit: 1 }))
    await assertReturnsPromise(() => list(adapter, 'notes/', { limit: 0 }))
  },

  'lifecycle: a listing with an aborted signal rejects': async ({ adapter }) => {
    await assert.rejects(list(adapter, 'notes/', aborted()))
  }
}

export const transactionLifecycleCases: Cases = {
  'lifecycle: transaction returns a promise, also for arguments that it refuses': async ({ adapter }) => {
    for (const key of ['k', 'absent', '', 1 as unknown as string]) {
      const work = async (tx: unknown) => await put(adapter, tx, key, 1)
      await assertReturnsPromise(() => transact(adapter, key, ANY, work))
      await assertReturnsPromise(() => transact(adapter, key, EXISTS, work, aborted()))
      await assertReturnsPromise(() => transact(adapter, key, EXISTS, work, { context: null }))
    }
  }
}
