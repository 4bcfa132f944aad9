import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('pg', new URL('./connect.js', import.meta.url))
