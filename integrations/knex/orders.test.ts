import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('knex', new URL('./connect.js', import.meta.url))
