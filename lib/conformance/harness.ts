import assert from 'node:assert/strict'
import type { StorageAdapter } from '../storage/adapter.js'

/** Ends an outage. Resolves when every adapter of the subject can reach the engine again. */
export type Mend = () => Promise<void>

/**
 * The adapter under test, and what the cases need besides: a second adapter, an outage, a clean-up. Each call of
 * `createAdapter` makes one.
 *
 * `another` and `cut` may be left out if the suite is told so (`another: false`, `faults: false`). Otherwise every case
 * that needs the missing member fails.
 */
export interface Subject {
  /**
   * The adapter, on an empty store that no other subject sees. It must not be open yet: the suite calls its `open`
   * before the case and its `close` after the case, as the plugin does. One case closes it without having opened it.
   */
  adapter: StorageAdapter
  /**
   * Makes one more adapter on the same data. The two share nothing else, neither client nor connection, as if the
   * second one were in another process. The suite opens and closes this adapter, too.
   */
  another?: (() => Promise<StorageAdapter>) | undefined
  /**
   * Starts an outage, and resolves to the function that ends it. In between, no adapter of this subject can reach the
   * engine, calls in flight may lose their answers, and every call must reject with `FST_IF_MATCH_STORAGE_UNAVAILABLE`
   * or `FST_IF_MATCH_OUTCOME_UNKNOWN`. The suite ends every outage, also when a case fails. With `transactions: true`
   * an outage may start while a transaction is open.
   */
  cut?: (() => Promise<Mend>) | undefined
  /**
   * Releases what the subject holds besides its adapters, for example clients, files and tables. Called once, after all
   * adapters were closed, also when the case failed.
   */
  close?: (() => Promise<void>) | undefined
}

/** Makes a new subject. A rejection fails the case that the subject was for. */
export type CreateAdapter = () => Promise<Subject>

/** What a case works with. All its adapters are open, and are closed after the case. */
export interface Harness {
  subject: Subject
  adapter: StorageAdapter
  another (): Promise<StorageAdapter>
  /** Runs the steps during an outage, and ends the outage even if they fail. */
  whileCut (steps: () => Promise<void>): Promise<void>
  /** Closes an adapter before the case ends. */
  close (adapter: StorageAdapter): Promise<void>
}

/** Cases by their titles. */
export type Cases = Readonly<Record<string, (harness: Harness) => Promise<void>>>

/** A case for each row of a table. */
export function casesForEach<R> (
  rows: Readonly<Record<string, R>>,
  title: (name: string) => string,
  run: (harness: Harness, row: R) => Promise<void>
): Cases {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [title(name), (harness) => run(harness, row)]))
}

/**
 * Runs one case on a new subject, and closes the adapters and the subject whatever happens.
 *
 * @throws the first failure: of the case, or of opening or closing
 */
export async function runCase (createAdapter: CreateAdapter, run: (harness: Harness) => Promise<void>): Promise<void> {
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

  async function another (): Promise<StorageAdapter> {
    assert.ok(subject.another, 'the subject has no "another": add it, or pass "another: false" to the suite')
    return await opened(await subject.another())
  }

  async function whileCut (steps: () => Promise<void>): Promise<void> {
    assert.ok(subject.cut, 'the subject has no "cut": add it, or pass "faults: false" to the suite')
    const mend = await subject.cut()
    try {
      await steps()
    } finally {
      await mend()
    }
  }

  await attempt(async () => await run({ subject, adapter: await opened(subject.adapter), another, whileCut, close }))
  for (const adapter of open) await attempt(() => close(adapter))
  await attempt(() => subject.close?.())
  if (failures.length > 0) throw failures[0]
}
