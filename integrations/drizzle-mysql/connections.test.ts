import { connectionCases } from '../support/orders/connection-cases.js'

await connectionCases('drizzle', new URL('./connect.js', import.meta.url), 'mysql')
