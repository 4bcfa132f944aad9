import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { startMariadb } from '../../../test/support/services/mariadb.js'
import { skipWithout } from '../../../test/support/services/programs.js'
import { ABSENT } from '../../../test/support/expectations.js'
import type { OrdersClient } from './client.js'
import { handlerCase } from './handler-case.js'
import { nextId } from './ids.js'
import { newMysqlDatabase } from './mysql.js'
import type { OrdersStore } from './store.js'
import { wave } from './transaction-cases.js'

/** Tests on one MariaDB, and the handler that the page of a client shows. */
export async function onMysql<Client extends OrdersClient> (
  name: string,
  connect: (address: string) => Client | Promise<Client>,
  addQuantities: ((app: FastifyInstance, client: Client) => void) | undefined,
  tests: (t: Test, client: Client, newOrder: () => Promise<number>, store: OrdersStore) => Promise<void>
): Promise<void> {
  await t.test(`${name} on MariaDB`, { skip: skipWithout('mysql') }, async (t) => {
    const store = await newMysqlDatabase(t, (await startMariadb(t)).url)
    const client = await connect(store.address)
    t.teardown(async () => { await client.close() })
    const newOrder = async (): Promise<number> => {
      const id = nextId()
      await client.adapter.write(`/orders/${id}`, wave, ABSENT)
      return id
    }
    if (addQuantities !== undefined) {
      await t.test('a handler with transaction() changes one line: 200 with a new tag, then 412; 422 without such a line', async (t) => {
        await handlerCase(t, client.adapter, `/orders/${await newOrder()}`, (app) => addQuantities(app, client))
      })
    }
    await tests(t, client, newOrder, store)
  })
}
