import { aliasingCases, listAliasingCases, transactionAliasingCases } from './cases/aliasing.js'
import { concurrencyCases } from './cases/concurrency.js'
import { contentionCases } from './cases/contention.js'
import { contextCases, listContextCases, transactionContextCases } from './cases/context.js'
import { createCases } from './cases/create.js'
import { faultCases, listFaultCases } from './cases/faults.js'
import { joiningCases } from './cases/joining.js'
import { keyCases } from './cases/keys.js'
import { lifecycleCases, listLifecycleCases, transactionLifecycleCases } from './cases/lifecycle.js'
import { listCases, prefixCases } from './cases/list.js'
import { pagingCases } from './cases/paging.js'
import { digestCases, replacedCases } from './cases/provenance.js'
import { readCases } from './cases/read.js'
import { refusalCases } from './cases/refusal.js'
import { removeCases } from './cases/remove.js'
import { replaceCases } from './cases/replace.js'
import {
  oneLifeCases,
  oneLifeTwoAdapterCases,
  reusedKeyCases,
  reusedKeyTwoAdapterCases
} from './cases/reused-keys.js'
import { rollbackCases } from './cases/rollback.js'
import { subjectCases } from './cases/subject.js'
import { transactionFaultCases } from './cases/transaction-faults.js'
import { transactionDigestCases, transactionReplacedCases } from './cases/transaction-provenance.js'
import { transactionRaceCases } from './cases/transaction-races.js'
import { transactionCases } from './cases/transaction.js'
import { twoAdapterCases, twoAdapterListCases } from './cases/two-adapters.js'
import { unlessCases } from './cases/unless.js'
import { valueCases } from './cases/values.js'
import { versionCases } from './cases/version.js'
import { runCase, type Cases, type CreateAdapter } from './harness.js'

export type { CreateAdapter, Mend, Subject } from './harness.js'

/**
 * What `conformanceSuite` needs to know. Declare unsupported features: the suite never skips a case silently, and fails
 * where an option and the subject disagree.
 */
export interface ConformanceOptions {
  /**
   * Registers a case with your test runner: `test` of node:test or vitest, `(title, run) => t.test(title, run)` of tap.
   * `run` rejects if the case fails.
   */
  test: (title: string, run: () => Promise<void>) => unknown
  /** Makes a new subject: an adapter on an empty store, and what belongs to it. Called at least once for each case. */
  createAdapter: CreateAdapter
  /**
   * Which prefixes the adapter lists. `true` (the default): every prefix. `'collections'`: only prefixes that end in a
   * slash, without the collections nested in them. `false`: the adapter has no `list`, and no case lists.
   */
  list?: boolean | 'collections' | undefined
  /**
   * `false`: subjects have no `another`, and no case uses two adapters. Right only if no second process can reach the
   * data, as for a store in memory. Default: `true`.
   */
  another?: boolean | undefined
  /** `false`: subjects have no `cut`, and no case has an outage. Default: `true`. */
  faults?: boolean | undefined
  /**
   * `false`: the adapter does not keep `replaced`, and no case looks at it. Then a write whose answer was lost is not
   * proven once somebody else wrote, and a client that sends it again is refused. Default: `true`.
   */
  replaced?: boolean | undefined
  /** `false`: the adapter does not keep `digest`, and no case looks at it; the same is lost. Default: `true`. */
  digest?: boolean | undefined
  /**
   * `false`: a version may come back after the entity was removed and created again under its key, as that of a counter
   * in the row does. Such an adapter is right only where **no key is ever used again**, as with ids that the database
   * makes, of rows that nobody inserts again. Otherwise a client whose tag is from the first life overwrites the second
   * one without having seen it. Versions must be new with each write while the entity lives. Where keys may come back,
   * add a mark of the creation to the version instead, such as a column with a random default. Default: `true`.
   */
  reusedKeys?: boolean | undefined
  /**
   * `true`: the adapter has `transaction`, and takes `{ client: tx }` as the context of its other operations, by which
   * the works of the cases write. One case waits for the engine to end a deadlock. Default: `false`, which is right for
   * an adapter without `transaction`.
   */
  transactions?: boolean | undefined
}

/**
 * Tests whether an adapter keeps the contract of `StorageAdapter`: one test for each case.
 *
 * - Assertions are those of `node:assert`, so every test runner can report them.
 * - Cases are independent: each has a subject of its own, so they may run in any order, and side by side.
 * - No case has a time limit or waits for a clock: set the limit in the test runner.
 *
 * @returns when all promises that `test` returned are resolved; every case is registered before the first await
 * @throws what `test` throws or rejects with; a case that fails rejects its `run`, with an `AssertionError` or with the
 * error of the adapter or of the subject
 *
 * @example
 * import { test } from 'node:test'
 * import { conformanceSuite } from 'fastify-if-match/conformance'
 *
 * await conformanceSuite({
 *   test,
 *   createAdapter: async () => {
 *     const table = await createEmptyTable()
 *     return {
 *       adapter: myAdapter({ pool, table }),
 *       another: async () => myAdapter({ pool: otherPool, table }),
 *       close: async () => await dropTable(table)
 *     }
 *   },
 *   faults: false
 * })
 */
export async function conformanceSuite ({
  test,
  createAdapter,
  list = true,
  another = true,
  faults = true,
  replaced = true,
  digest = true,
  reusedKeys = true,
  transactions = false
}: ConformanceOptions): Promise<void> {
  const hasList = list !== false
  const groups: Array<Cases | false> = [
    subjectCases(createAdapter, { list: hasList, another, faults, replaced, digest, reusedKeys, transactions }),
    keyCases,
    valueCases,
    aliasingCases,
    readCases,
    unlessCases,
    createCases,
    replaceCases,
    removeCases,
    refusalCases,
    versionCases,
    reusedKeys ? reusedKeyCases : oneLifeCases,
    replaced && replacedCases,
    digest && digestCases,
    contextCases,
    contentionCases('one adapter', replaced),
    concurrencyCases('one adapter'),
    lifecycleCases(createAdapter),
    another && contentionCases('two adapters', replaced),
    another && concurrencyCases('two adapters'),
    another && twoAdapterCases,
    another && (reusedKeys ? reusedKeyTwoAdapterCases : oneLifeTwoAdapterCases),
    hasList && listCases,
    list === true && prefixCases,
    hasList && pagingCases,
    hasList && listAliasingCases,
    hasList && listLifecycleCases,
    hasList && listContextCases,
    hasList && another && twoAdapterListCases,
    faults && faultCases,
    faults && hasList && listFaultCases,
    transactions && transactionCases,
    transactions && rollbackCases,
    transactions && joiningCases,
    transactions && transactionRaceCases('one adapter'),
    transactions && another && transactionRaceCases('two adapters'),
    transactions && replaced && transactionReplacedCases,
    transactions && digest && transactionDigestCases,
    transactions && transactionAliasingCases,
    transactions && transactionLifecycleCases,
    transactions && transactionContextCases,
    transactions && faults && transactionFaultCases
  ]
  const cases = groups.flatMap((group) => Object.entries(group || {}))
  // No await before this line: a runner that collects tests first would miss those that are registered later.
  await Promise.all(cases.map(([title, run]) => test(title, () => runCase(createAdapter, run))))
}
