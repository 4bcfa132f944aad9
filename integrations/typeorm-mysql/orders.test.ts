import { ordersOnMysql } from '../support/orders/mysql.js'

await ordersOnMysql('typeorm', new URL('./connect.js', import.meta.url))
