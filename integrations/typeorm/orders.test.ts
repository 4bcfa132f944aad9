import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('typeorm', new URL('./connect.js', import.meta.url))
