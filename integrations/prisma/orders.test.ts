import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('Prisma', new URL('./connect.js', import.meta.url))
