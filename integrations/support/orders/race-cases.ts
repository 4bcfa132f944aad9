import type { Test } from 'tap'
import { ABSENT } from '../../../test/support/expectations.js'
import type { Order } from '../../order.js'
import type { OrdersClient } from './client.js'
import { nextId } from './ids.js'
import { OrdersRace } from './race.js'
import type { OrdersStore } from './store.js'

const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 50)
const empty: Order = { customer: 'nobody', note: null, lines: [] }

/** The races that a client must pass, over HTTP. */
export async function raceCases (t: Test, client: OrdersClient, { act }: OrdersStore): Promise<void> {
  const { adapter } = client
  const race = await OrdersRace.start(t, client)

  await t.test('32 PUTs under one tag: one 200, all others 412, and order and lines are the winner\'s alone', async (t) => {
    const path = `/orders/${nextId()}`
    await adapter.write(path, empty, ABSENT)
    for (let round = 0; round < ROUNDS; round++) {
      const { etag } = await race.read(path)
      const { flaws } = await race.round(path, `If-Match: ${etag}`, 200)
      if (!t.same(flaws, [], `round ${round}`)) break
    }
  })

  await t.test('32 PUTs under one tag, and a job that adds a line: one winner or none, and the line is there', async (t) => {
    let overtaken = 0
    for (let round = 0; round < ROUNDS; round++) {
      const id = nextId()
      const path = `/orders/${id}`
      await adapter.write(path, empty, ABSENT)
      const { etag } = await race.read(path)
      const { winners, stored } = await race.round(path, `If-Match: ${etag}`, 200, async () =>
        await act(`INSERT INTO lines VALUES (${id}, 99, 'of the job', 1)`))
      if (winners === 0) overtaken++
      if (!t.ok(winners <= 1, `round ${round}: ${winners} winners`)) break
      if (!t.match(stored.lines.at(-1), { sku: 'of the job' }, `round ${round}`)) break
    }
    t.comment(`the job was first in ${overtaken} of ${ROUNDS} rounds`)
  })

  await t.test('32 PUTs that create: one 201, all others 412, and order and lines are the winner\'s alone', async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const { flaws } = await race.round(`/orders/${nextId()}`, 'If-None-Match: *', 201)
      if (!t.same(flaws, [], `round ${round}`)) break
    }
  })
}
