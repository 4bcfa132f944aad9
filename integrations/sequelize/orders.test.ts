import { ordersOnPostgres } from '../support/orders/postgres.js'

await ordersOnPostgres('sequelize', new URL('./connect.js', import.meta.url))
