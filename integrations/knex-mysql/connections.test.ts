import { connectionCases } from '../support/orders/connection-cases.js'

await connectionCases('knex', new URL('./connect.js', import.meta.url), 'mysql')
