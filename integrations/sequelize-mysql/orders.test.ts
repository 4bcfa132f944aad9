import { ordersOnMysql } from '../support/orders/mysql.js'

// A connection that is lost while it is made is an unhandled rejection of the driver mariadb, where Sequelize sets the
// time zone (engine-facts#mariadb-driver-lost-while-connecting): connections.test.ts has one outage.
await ordersOnMysql('sequelize', new URL('./connect.js', import.meta.url), { faults: false })
