// A server of a client, which stands still between two statements of a transaction: server.js MODULE ADDRESS
import Fastify from 'fastify'
import { listen } from '../../../test/support/offers-app.js'
import { addOrders } from './app.js'
import { connectTo } from './client.js'

/** What it tells the process that started it. */
export type Message = { port: number } | { at: 'between two statements' }

const [module, address] = process.argv.slice(2)
const tell = (message: Message) => { process.send!(message) }
const client = await connectTo({ module: new URL(module!) }, address!)
const app = Fastify()
await addOrders(app, client, async (tx, id) => {
  await client.rename(tx, id, 'Half')
  tell({ at: 'between two statements' })
  await new Promise(() => {})
})
tell({ port: await listen(app) })
