import { ordersOnMysql } from '../support/orders/mysql.js'

await ordersOnMysql('kysely', new URL('./connect.js', import.meta.url))
