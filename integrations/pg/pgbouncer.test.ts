import t from 'tap'
import { startPgbouncer } from '../../test/support/services/pgbouncer.js'
import { skipWithout } from '../../test/support/services/programs.js'
import { ordersOnPostgres } from '../support/orders/postgres.js'

await t.test('behind PgBouncer in transaction mode', { skip: skipWithout('pgbouncer') }, async () => {
  await ordersOnPostgres('pg', new URL('./connect.js', import.meta.url), {
    levels: ['read committed'],
    // Fewer connections to the server than to the pooler, so that each transaction may go over another one.
    through: async (t, url) => (await startPgbouncer(t, url, { settings: { default_pool_size: '3' } })).url
  })
})
