import assert from 'node:assert/strict'
import type { StorageAdapter } from '../../storage/adapter.js'
import { ABSENT, ANY, applied, create, EXISTS, present, same, tellsTheTruth } from '../assert.js'
import { listing } from './list.js'
import type { Cases, CreateAdapter } from '../harness.js'

function gone (): { signal: AbortSignal } {
  return { signal: AbortSignal.abort() }
}

async function settles (call: () => unknown): Promise<void> {
  let returned: unknown
  assert.doesNotThrow(() => { returned = call() }, 'it threw instead of returning a promise that rejects')
  assert.equal(typeof (returned as Promise<unknown> | undefined)?.then, 'function', 'it returned no promise')
  await Promise.allSettled([returned])
}

export function lifecycleCases (createAdapter: CreateAdapter): Cases {
  return {
    'lifecycle: open and close may be left out; where they are, they return promises': async () => {
      const subject = await createAdapter()
      const { adapter } = subject
      try {
        if (adapter.open !== undefined) await settles(() => adapter.open?.())
        if (adapter.close !== undefined) await settles(() => adapter.close?.())
      } finally {
        await subject.close?.()
      }
    },

    'lifecycle: close is fine when nothing was opened': async () => {
      const subject = await createAdapter()
      try {
        await subject.adapter.close?.()
      } finally {
        await subject.close?.()
      }
    },

    'lifecycle: read, write and remove return promises, also for what they refuse': async ({ adapter }) => {
      await create(adapter, 'k', 1)
      for (const key of ['k', 'absent', '', 1 as unknown as string]) {
        await settles(() => adapter.read(key))
        await settles(() => adapter.write(key, 1, ABSENT))
        await settles(() => adapter.write(key, NaN, ANY))
        await settles(() => adapter.remove(key, EXISTS))
        await settles(() => adapter.read(key, gone()))
      }
    },

    'lifecycle: a signal that is already aborted stops a read': async ({ adapter }) => {
      await create(adapter, 'k', 1)
      await assert.rejects(adapter.read('k', gone()))
      await assert.rejects(adapter.read('absent', gone()))
    },

    'lifecycle: a signal that is already aborted stops a write, and nothing is written': async ({ adapter }) => {
      await create(adapter, 'k', 1)
      const before = await present(adapter, 'k')
      await assert.rejects(adapter.write('k', 2, EXISTS, gone()))
      await assert.rejects(adapter.write('absent', 2, ANY, gone()))
      same(await adapter.read('k'), before)
      assert.equal(await adapter.read('absent'), undefined)
    },

    'lifecycle: a signal that is already aborted stops a removal, and nothing is removed': async ({ adapter }) => {
      await create(adapter, 'k', 1)
      const before = await present(adapter, 'k')
      await assert.rejects(adapter.remove('k', EXISTS, gone()))
      same(await adapter.read('k'), before)
    },

    'lifecycle: a signal that aborts while a write is under way leaves an answer that is true': async ({ adapter }) => {
      const controller = new AbortController()
      const writing = adapter.write('k', 1, ABSENT, { signal: controller.signal })
      controller.abort()
      const [outcome] = await Promise.allSettled([writing])
      await tellsTheTruth(adapter, 'k', outcome)
    },

    'lifecycle: a signal that aborts after the answer changes nothing': async ({ adapter }) => {
      const controller = new AbortController()
      applied(await adapter.write('k', 1, ABSENT, { signal: controller.signal }))
      controller.abort()
      assert.equal((await present(adapter, 'k')).value, 1)
    }
  }
}

export const listLifecycleCases: Cases = {
  'lifecycle: list returns a promise, also for what it refuses': async ({ adapter }) => {
    await settles(() => listing(adapter, 'notes/', { limit: 1 }))
    await settles(() => listing(adapter, 'notes/', { limit: 0 }))
  },

  'lifecycle: a signal that is already aborted stops a listing': async ({ adapter }) => {
    await assert.rejects(listing(adapter, 'notes/', gone()))
  }
}

export const sharedLifecycleCases: Cases = {
  'lifecycle: closing an adapter leaves another one on the same data at work': async (stage) => {
    const another: StorageAdapter = await stage.another()
    await create(stage.adapter, 'k', 1)
    await stage.close(stage.adapter)
    applied(await another.write('k', 2, EXISTS))
    assert.equal((await present(another, 'k')).value, 2)
  }
}
