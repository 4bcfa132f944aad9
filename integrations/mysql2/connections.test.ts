import { connectionCases } from '../support/orders/connection-cases.js'

await connectionCases('mysql2', new URL('./connect.js', import.meta.url), 'mysql')
