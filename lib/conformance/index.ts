import { acknowledgementCases, listAcknowledgementCases } from './cases/acknowledgement.js'
import { aliasingCases, listAliasingCases } from './cases/aliasing.js'
import { concurrencyCases } from './cases/concurrency.js'
import { contentionCases, type AdaptersOf } from './cases/contention.js'
import { createCases } from './cases/create.js'
import { factoryCases } from './cases/factory.js'
import { faultCases, listFaultCases } from './cases/faults.js'
import { keyCases } from './cases/keys.js'
import { lifecycleCases, listLifecycleCases, sharedLifecycleCases } from './cases/lifecycle.js'
import { listCases, prefixCases } from './cases/list.js'
import { pagingCases } from './cases/paging.js'
import { provenanceCases } from './cases/provenance.js'
import { readCases } from './cases/read.js'
import { refusalCases } from './cases/refusal.js'
import { removeCases } from './cases/remove.js'
import { replaceCases } from './cases/replace.js'
import { onStage, type Cases, type CreateAdapter } from './harness.js'
import { valueCases } from './cases/values.js'
import { versionCases } from './cases/version.js'

export type { CreateAdapter, Mend, Subject } from './harness.js'

/** What `conformanceSuite` is told. What a subject cannot do must be said here: a case is never left out in silence. */
export interface ConformanceOptions {
  /** Registers a case: `test` of node:test or vitest, `(title, run) => t.test(title, run)` of tap. */
  test: (title: string, run: () => Promise<void>) => unknown
  /** Called once or more for each case. */
  createAdapter: CreateAdapter
  /**
   * `false`: the adapter has no `list`. `'collections'`: `list` takes whole collections only, that is prefixes that
   * end in a slash, and lists no collection inside another. Default: `true`.
   */
  list?: boolean | 'collections' | undefined
  /** `false`: no second adapter can work on the same data. Only right for what lives inside one process. */
  another?: boolean | undefined
  /** `false`: there is no way to cut the engine off. */
  faults?: boolean | undefined
}

/**
 * Checks everything that the contract of `StorageAdapter` asks for. Cases are independent of one another, wait for
 * nothing but the adapter, and may run in any order; how long one may take is up to the runner.
 *
 * @returns when what `test` returned for every case has settled; all cases are registered before that
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
  faults = true
}: ConformanceOptions): Promise<void> {
  const one: AdaptersOf = async ({ adapter }) => [adapter]
  const two: AdaptersOf = async (stage) => [stage.adapter, await stage.another()]
  const groups: Array<Cases | false> = [
    factoryCases(createAdapter, { list: list !== false, another, faults }),
    keyCases,
    valueCases,
    aliasingCases,
    readCases,
    createCases,
    replaceCases,
    removeCases,
    refusalCases,
    versionCases,
    provenanceCases,
    contentionCases('one adapter', one),
    concurrencyCases('one adapter', one),
    lifecycleCases(createAdapter),
    another && contentionCases('two adapters', two),
    another && concurrencyCases('two adapters', two),
    another && acknowledgementCases,
    another && sharedLifecycleCases,
    list !== false && listCases,
    list === true && prefixCases,
    list !== false && pagingCases,
    list !== false && listAliasingCases,
    list !== false && listLifecycleCases,
    list !== false && another && listAcknowledgementCases,
    faults && faultCases,
    faults && list !== false && listFaultCases
  ]
  const cases = groups.flatMap((group) => Object.entries(group || {}))
  // Registered in one go: a runner that collects first would not see what is registered after a wait.
  await Promise.all(cases.map(([title, run]) => test(title, () => onStage(createAdapter, run))))
}
