import { connectionCases } from '../support/orders/connection-cases.js'

await connectionCases('sequelize', new URL('./connect.js', import.meta.url), 'mysql')
