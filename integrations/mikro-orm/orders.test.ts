import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('mikro-orm', new URL('./connect.js', import.meta.url))
