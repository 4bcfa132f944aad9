import { connectionCases } from '../support/orders/connection-cases.js'

await connectionCases('Prisma', new URL('./connect.js', import.meta.url), 'mysql')
