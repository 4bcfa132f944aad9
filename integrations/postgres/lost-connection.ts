// A transaction whose connection is closed meanwhile. It ends this process: lost-connection.js ADDRESS
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import postgres from 'postgres'

const url = new URL(process.argv[2]!)
const { hostname, port } = url
const clients: Socket[] = []
const pooler = createServer((client) => {
  client.on('error', () => {})
  clients.push(client)
  const server = connect(Number(port), hostname)
  client.pipe(server).pipe(client)
})
await once(pooler.listen(0, '127.0.0.1'), 'listening')
url.port = String((pooler.address() as AddressInfo).port)

const sql = postgres(url.href, { max: 1 })
await sql.begin(async (tx) => {
  await tx`SELECT 1`
  const closed = once(clients[0]!, 'close')
  clients[0]!.end()
  await closed
  await tx`SELECT 2`.catch(() => {})
  process.exit(0) // every rejection was handled
}).catch(() => {})
await new Promise(() => {})
