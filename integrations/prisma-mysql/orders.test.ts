import { ordersOnMysql } from '../support/orders/mysql.js'

// Each operation in an outage takes as long as the pool waits for a connection: connections.test.ts has one.
await ordersOnMysql('Prisma', new URL('./connect.js', import.meta.url), { faults: false })
