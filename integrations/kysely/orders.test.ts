import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('kysely', new URL('./connect.js', import.meta.url))
