import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A server that answers as it is told to. */
export interface StubServer {
  server: Server
  port: number
  /** The connections that clients have now. */
  sockets: ReadonlySet<Socket>
}

export interface StubOptions {
  /** Keeps a connection open that its client has ended, as a server does that does not notice. */
  staysOpen?: boolean
}

/** @param answer is given the requests that came together, and gives the text of their answers */
export async function startStub (
  t: Test, answer: (requests: string, port: number) => string, { staysOpen = false }: StubOptions = {}
): Promise<StubServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: staysOpen }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => { sockets.delete(socket) })
    socket.on('error', () => {})
    socket.on('data', (requests) => { socket.write(answer(String(requests), port)) })
  })
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, port, sockets }
}

/** Each request of several that came together. */
export function requestsIn (requests: string): string[] {
  return requests.split(/^(?=\*\d+\r$)/m)
}

/** The answers of a Redis that says OK to everything, and that it has all slots of a Cluster. */
export function fine (requests: string, port: number): string {
  const slots = `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$1\r\nx\r\n`
  return requestsIn(requests).map((request) => /\bslots\b/i.test(request) ? slots : '+OK\r\n').join('')
}
