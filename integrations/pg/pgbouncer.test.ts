import { startPgbouncer } from '../../test/support/services/pgbouncer.js'
import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('pg behind PgBouncer in transaction mode', new URL('./connect.js', import.meta.url), {
  needs: ['pgbouncer'],
  levels: ['read committed'],
  // Fewer connections to the server than to the pooler, so that each transaction may go over another one.
  through: async (t, url) => (await startPgbouncer(t, url, { settings: { default_pool_size: '3' } })).url
})
