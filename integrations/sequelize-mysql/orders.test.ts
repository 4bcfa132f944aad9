import { ordersOnMysql } from '../support/orders/mysql.js'

await ordersOnMysql('sequelize', new URL('./connect.js', import.meta.url))
