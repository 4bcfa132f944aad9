import { connectionCases } from '../support/orders/connection-cases.js'

await connectionCases('kysely', new URL('./connect.js', import.meta.url), 'mysql')
