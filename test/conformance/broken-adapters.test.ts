import t from 'tap'
import { engineSubject } from './engine.js'
import { casesOf, failingCases } from './failing-cases.js'
import type { Mutant } from './mutant.js'
import { aliasingMutants } from './mutants/aliasing.js'
import { answeringMutants } from './mutants/answering.js'
import { comparingMutants } from './mutants/comparing.js'
import { contextMutants } from './mutants/contexts.js'
import { lifecycleMutants } from './mutants/lifecycle.js'
import { listingMutants } from './mutants/listing.js'
import { outageMutants, unknownInOutages } from './mutants/outages.js'
import { outcomeMutants } from './mutants/outcomes.js'
import { lesserSubjects, subjectMutants } from './mutants/subjects.js'
import { joiningMutants } from './mutants/transaction-joins.js'
import { transactionOutageMutants, unknownTransactionsInOutages } from './mutants/transaction-outages.js'
import { transactionOutcomeMutants } from './mutants/transaction-outcomes.js'
import { transactionProvenanceMutants } from './mutants/transaction-provenance.js'
import { transactionRaceMutants } from './mutants/transaction-races.js'
import { rollbackMutants } from './mutants/transaction-rollbacks.js'
import { unlessMutants } from './mutants/unless.js'
import { valueMutants } from './mutants/values.js'
import { versionAndKeyMutants } from './mutants/versions-and-keys.js'
import type { TransactionMutant } from './transaction-mutant.js'
import { transactionSubject } from './transactions.js'

const mutants: Mutant[] = [
  ...comparingMutants, ...outcomeMutants, ...versionAndKeyMutants, ...valueMutants, ...aliasingMutants,
  ...listingMutants, ...answeringMutants, ...unlessMutants, ...contextMutants, ...lifecycleMutants, ...outageMutants
]

const transactionMutants: TransactionMutant[] = [
  ...transactionOutcomeMutants, ...rollbackMutants, ...joiningMutants, ...transactionRaceMutants,
  ...transactionOutageMutants, ...transactionProvenanceMutants
]

// Every mutant is this adapter, with one flaw.
await t.test('the sound adapter passes every case', async (t) => {
  t.same(await failingCases({ createAdapter: async () => engineSubject() }), [])
})

await t.test('an adapter may report OUTCOME_UNKNOWN for every change in an outage, and apply it later', async (t) => {
  t.same(await failingCases({ createAdapter: async () => engineSubject(unknownInOutages) }), [])
})

// Three ways to keep transactions apart, so that no case asks for one of them.
for (const [discipline, does] of [
  ['locks', 'lock what they change'], ['turns', 'take turns'], ['checks', 'run again after a conflict']
] as const) {
  await t.test(`the sound adapter whose transactions ${does} passes every case`, async (t) => {
    const createAdapter = async () => transactionSubject(discipline)
    t.same(await failingCases({ createAdapter, transactions: true }), [])
  })
}

await t.test('an adapter may report OUTCOME_UNKNOWN for every transaction in an outage, and apply it later', async (t) => {
  const createAdapter = async () => transactionSubject('locks', unknownTransactionsInOutages)
  t.same(await failingCases({ createAdapter, transactions: true }), [])
})

for (const { adapter, flaw, caughtBy } of mutants) {
  await t.test(`an adapter that ${adapter} fails the cases about it, and no others`, async (t) => {
    t.not(caughtBy.length, 0)
    t.same(inOrder(await failingCases({ createAdapter: async () => engineSubject(flaw) })), inOrder(caughtBy))
  })
}

const plainCases = await casesOf({ createAdapter: async () => engineSubject() })

for (const { adapter, discipline = 'locks', flaw, caughtBy } of transactionMutants) {
  await t.test(`an adapter with transactions that ${adapter} fails the cases about it, and no others`, async (t) => {
    t.not(caughtBy.length, 0)
    const createAdapter = async () => transactionSubject(discipline, flaw)
    const failing = await failingCases({ createAdapter, transactions: true }, (title) => !plainCases.has(title))
    t.same(inOrder(failing), inOrder(caughtBy))
  })
}

for (const { subject, options, caughtBy } of subjectMutants) {
  await t.test(`a subject ${subject} fails the cases about it, and no others`, async (t) => {
    t.not(caughtBy.length, 0)
    t.same(inOrder(await failingCases(options)), inOrder(caughtBy))
  })
}

for (const { subject, options } of lesserSubjects) {
  await t.test(`a subject ${subject} passes with the options that say so`, async (t) => {
    t.same(await failingCases(options), [])
  })
}

// A case that fails for no mutant proves nothing.
await t.test('every case of the suite fails for a mutant', async (t) => {
  const caught = new Set([...mutants, ...transactionMutants, ...subjectMutants].flatMap(({ caughtBy }) => caughtBy))
  const cases = new Map([
    ...await casesOf({ createAdapter: async () => transactionSubject('locks'), transactions: true }),
    ...await casesOf({ createAdapter: async () => engineSubject(), reusedKeys: false })
  ])
  t.same([...cases.keys()].filter((title) => !caught.has(title)), [])
})

function inOrder (titles: readonly string[]): string[] {
  return [...titles].sort()
}
