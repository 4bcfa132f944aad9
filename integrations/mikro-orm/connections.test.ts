import { connectionCases } from '../support/orders/connection-cases.js'

await connectionCases('mikro-orm', new URL('./connect.js', import.meta.url))
