import { ordersOnMysql } from '../support/orders/mysql.js'

await ordersOnMysql('drizzle', new URL('./connect.js', import.meta.url))
