import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('postgres', new URL('./connect.js', import.meta.url), { faults: false })
