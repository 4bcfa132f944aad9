import type { Test } from 'tap'
import { conformanceSuite } from 'fastify-if-match/conformance'
import { anyJson, newKeys } from './any-json.js'
import { connectTo, type OrdersClient, type Subject } from './client.js'
import { killCase } from './kill-case.js'
import { raceCases } from './race-cases.js'
import type { NewStore, OrdersStore } from './store.js'
import { transactionCases, withoutTriggerCases } from './transaction-cases.js'

/** All that a client must show; without `rest`, what the isolation level of a transaction may change. */
export async function orderCases (t: Test, subject: Subject, newStore: NewStore, rest = true): Promise<void> {
  await t.test(subject.name, async (t) => {
    const connect = async (t: Test, { address }: OrdersStore): Promise<OrdersClient> => {
      const client = await connectTo(subject, address)
      t.teardown(async () => { await client.close() })
      return client
    }
    const { faults = true } = subject
    const store = await newStore(t)
    const client = await connect(t, store)

    await transactionCases(t, client, store)
    await raceCases(t, client, store)
    if (!rest) return

    await t.test('conformance', async (t) => {
      const another = await connect(t, store)
      const cut = client.cut && (async () => {
        const mends = await Promise.all([client, another].map(async (one) => await one.cut!()))
        return async () => { for (const mend of mends) await mend() }
      })
      await conformanceSuite({
        test: (title, run) => t.test(title, run),
        list: false,
        replaced: false,
        digest: false,
        faults,
        transactions: true,
        async createAdapter () {
          const keyOf = newKeys()
          return {
            adapter: anyJson(client.adapter, keyOf),
            another: async () => anyJson(another.adapter, keyOf),
            ...faults && { cut: store.cut ?? cut }
          }
        }
      })
    })
    await killCase(t, subject, client, store)
    const bare = await newStore(t, { triggers: false })
    await withoutTriggerCases(t, await connect(t, bare))
  })
}
