import t, { type Test } from 'tap'
import { startMariadb } from '../../../test/support/services/mariadb.js'
import { startPostgres } from '../../../test/support/services/postgres.js'
import { startProxy } from '../../../test/support/services/proxy.js'
import { skipWithout } from '../../../test/support/services/programs.js'
import { ABSENT, EXISTS } from '../../../test/support/expectations.js'
import { connectTo } from './client.js'
import { nextId } from './ids.js'
import { newMysqlDatabase } from './mysql.js'
import { newDatabase } from './postgres.js'
import { wave } from './transaction-cases.js'

const POOL = 10 // the connections of a pool of pg, mysql2 and mariadb

const BEGIN = /begin|start transaction|autocommit = 0/i
const COMMIT = /\bcommit\b/i

const ENGINES = {
  postgres: async (t: Test) => await newDatabase(t, (await startPostgres(t)).url),
  mysql: async (t: Test) => await newMysqlDatabase(t, (await startMariadb(t)).url)
}

/**
 * What a client must show where its connection is lost at the beginning or the end of a transaction.
 *
 * @param module the address of the client's `connect.ts`, as it is compiled
 */
export async function connectionCases (
  name: string,
  module: URL,
  engine: keyof typeof ENGINES = 'postgres'
): Promise<void> {
  await t.test(`${name}: connections that are lost`, { skip: skipWithout(engine) }, async (t) => {
    const store = await ENGINES[engine](t)
    const proxy = await startProxy(t, store.address)
    const client = await connectTo({ module }, proxy.url)
    t.teardown(async () => { await client.close() })
    const key = `/orders/${nextId()}`
    await client.adapter.write(key, wave, ABSENT)
    const writeAs = async (customer: string): Promise<unknown> =>
      await client.adapter.write(key, { ...wave, customer }, EXISTS).catch((error: unknown) => error)
    const stored = async () => (await client.adapter.read(key))?.value.customer

    await t.test('the answer to COMMIT is lost: OUTCOME_UNKNOWN, for the write is applied', async (t) => {
      const { answered } = proxy.cutAnswer({ when: (request) => COMMIT.test(request.toString('latin1')) })
      const [outcome] = await Promise.all([writeAs('At the end'), answered])
      t.match(outcome, { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN', statusCode: 503 })
      t.equal(await stored(), 'At the end')
    })

    await t.test(`the answer to BEGIN is lost ${POOL + 1} times: STORAGE_UNAVAILABLE, and no connection stays taken`, async (t) => {
      for (let lost = 0; lost <= POOL; lost++) {
        proxy.cutAnswer({ when: (request) => BEGIN.test(request.toString('latin1')) })
        t.match(await writeAs('Never'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
      }
      t.match(await writeAs('Afterwards'), { applied: true })
      t.equal(await stored(), 'Afterwards')
    })

    await t.test('the database is away: STORAGE_UNAVAILABLE; afterwards writes are applied', async (t) => {
      await proxy.refuse()
      t.match(await writeAs('Never'), { code: 'FST_IF_MATCH_STORAGE_UNAVAILABLE' })
      await proxy.accept()
      await client.recovered?.()
      t.match(await writeAs('After the outage'), { applied: true })
      t.equal(await stored(), 'After the outage')
    })
  })
}
