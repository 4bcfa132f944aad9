import assert from 'node:assert/strict'
import type { StorageAdapter } from '../storage/adapter.js'

/** Ends an outage. Resolves when every adapter of the subject can work again. */
export type Mend = () => Promise<void>

/** What `createAdapter` gives for each case: an adapter on an empty store that no other case sees. */
export interface Subject {
  /** The adapter, not opened yet: the suite calls `open` and `close`, as the plugin does. */
  adapter: StorageAdapter
  /** Makes one more adapter on the same data, with nothing else in common: what a second process would have. */
  another?: (() => Promise<StorageAdapter>) | undefined
  /** Cuts every adapter of this subject off from the engine, and resolves to what mends it again. */
  cut?: (() => Promise<Mend>) | undefined
  /** Releases what `createAdapter` made, apart from the adapters themselves. Called after they were closed. */
  close?: (() => Promise<void>) | undefined
}

/** Gives each case a subject of its own. */
export type CreateAdapter = () => Promise<Subject>

/** What a case works with. Adapters that come from here are open, and are closed with the case. */
export interface Stage {
  subject: Subject
  adapter: StorageAdapter
  another (): Promise<StorageAdapter>
  cut (): Promise<Mend>
  /** Runs the steps while the engine is cut off, and mends it even if they fail. */
  whileCut (steps: () => Promise<void>): Promise<void>
  /** Closes one of the adapters before the case ends. */
  close (adapter: StorageAdapter): Promise<void>
}

/** Cases by their titles. */
export type Cases = Readonly<Record<string, (stage: Stage) => Promise<void>>>

/** Runs one case on a subject of its own, and closes all of it whatever happens. The first failure is the one told. */
export async function onStage (createAdapter: CreateAdapter, run: (stage: Stage) => Promise<void>): Promise<void> {
  const subject = await createAdapter()
  const open = new Set<StorageAdapter>()
  const failures: unknown[] = []

  async function attempt (step: () => unknown): Promise<void> {
    try {
      await step()
    } catch (failure) {
      failures.push(failure)
    }
  }

  async function opened (adapter: StorageAdapter): Promise<StorageAdapter> {
    open.add(adapter)
    await adapter.open?.()
    return adapter
  }

  async function close (adapter: StorageAdapter): Promise<void> {
    open.delete(adapter)
    await adapter.close?.()
  }

  async function cut (): Promise<Mend> {
    assert.ok(subject.cut, 'createAdapter gives no way to cut the engine off; if there is none, say "faults: false"')
    return await subject.cut()
  }

  await attempt(async () => await run({
    subject,
    adapter: await opened(subject.adapter),
    async another () {
      assert.ok(
        subject.another,
        'createAdapter gives no other adapter on the same data; if there is none, say "another: false"'
      )
      return await opened(await subject.another())
    },
    cut,
    async whileCut (steps) {
      const mend = await cut()
      try {
        await steps()
      } finally {
        await mend()
      }
    },
    close
  }))
  for (const adapter of open) await attempt(() => close(adapter))
  await attempt(() => subject.close?.())
  if (failures.length > 0) throw failures[0]
}
