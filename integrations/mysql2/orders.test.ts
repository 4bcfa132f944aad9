import { ordersOnMysql } from '../support/orders/mysql.js'

await ordersOnMysql('mysql2', new URL('./connect.js', import.meta.url))
