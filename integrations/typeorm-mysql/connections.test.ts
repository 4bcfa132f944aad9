import { connectionCases } from '../support/orders/connection-cases.js'

await connectionCases('typeorm', new URL('./connect.js', import.meta.url), 'mysql')
