import type { Test } from 'tap'
import { barrier } from '../../../test/support/barrier.js'
import { ABSENT, EXISTS } from '../../../test/support/expectations.js'
import type { OrdersClient } from './client.js'
import { nextId } from './ids.js'
import type { OrdersStore } from './store.js'
import { wave } from './transaction-cases.js'

/** What MySQL and MariaDB do otherwise than PostgreSQL inside of a transaction. */
export async function mysqlCases (t: Test, client: OrdersClient, { act }: OrdersStore): Promise<void> {
  const { adapter, rename } = client
  async function newOrder (): Promise<{ id: number, key: string, isAsBefore: () => Promise<boolean> }> {
    const id = nextId()
    const key = `/orders/${id}`
    const { version } = await adapter.write(key, wave, ABSENT) as { version: string }
    return { id, key, isAsBefore: async () => (await adapter.read(key))?.version === version }
  }

  await t.test('a deadlock whose error the work swallowed: an error, and nothing of that work is stored', async (t) => {
    const orders = [await newOrder(), await newOrder(), await newOrder(), await newOrder()]
    const [one, other, ...own] = orders as [typeof orders[0], typeof orders[0], ...typeof orders]
    const met = [barrier(), barrier()]
    const deadlocks: unknown[] = []
    // Each has an order that the other one changes next. What follows changes an order that nobody else has.
    const work = async (index: 0 | 1, first: typeof one, second: typeof one) =>
      await adapter.transaction(first.key, EXISTS, async (tx) => {
        await rename(tx, first.id, 'half')
        met[index]!.open()
        await met[1 - index]!.opened
        await rename(tx, second.id, 'half').catch((error: unknown) => deadlocks.push(error))
        await rename(tx, own[index]!.id, 'behind the deadlock')
      }).catch((error: unknown) => error)
    const ends = await Promise.all([work(0, one, other), work(1, other, one)])
    t.equal(deadlocks.length, 1)
    const failed = ends.findIndex((end) => end instanceof Error)
    // Some clients tell the statement that follows, and others the end of the transaction.
    t.match(ends[failed], { code: /^FST_IF_MATCH_STORAGE_(FAULT|UNAVAILABLE)$/ })
    t.match(ends[1 - failed], { applied: true })
    t.ok(await own[failed]!.isAsBefore(), 'nothing of what followed is stored')
    t.notOk(await own[1 - failed]!.isAsBefore())
  })

  await t.test('a further order is read as it is when it is locked, although the work has read before', async (t) => {
    const [first, further] = [await newOrder(), await newOrder()]
    const found = await adapter.transaction(first.key, EXISTS, async (tx, { read }) => {
      await read()
      await act(`UPDATE orders SET customer = 'of a job' WHERE id = ${further.id}`)
      await rename(tx, first.id, 'Other')
      return await adapter.transaction(further.key, EXISTS, async (tx, { version, read }) => {
        const { value, version: ofRead } = (await read())!
        await rename(tx, further.id, `${value.customer}, and of the work`)
        return ofRead === version
      }, { context: { client: tx } })
    })
    t.match(found, { applied: true, value: { applied: true, value: true } })
    t.equal((await adapter.read(further.key))?.value.customer, 'of a job, and of the work')
  })
}
