import { ordersOnSqlite } from '../support/orders/sqlite.js'

await ordersOnSqlite('better-sqlite3', new URL('./connect.js', import.meta.url))
