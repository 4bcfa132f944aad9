import { ordersOnSqlite } from '../support/orders/sqlite.js'

await ordersOnSqlite('typeorm on SQLite', new URL('./connect.js', import.meta.url))
