import { ordersOnMysql } from '../support/orders/mysql.js'

await ordersOnMysql('knex', new URL('./connect.js', import.meta.url))
