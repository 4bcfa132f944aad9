import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('drizzle', new URL('./connect.js', import.meta.url))
