import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from './registry.js'

/**
 * Serves `GET /metrics` on an address of its own, apart from the API: no token is asked for. Neither this server nor
 * its connections keep the process.
 *
 * @returns where the page is, and the server
 * @throws what listening there throws
 */
export async function serveMetrics (
  { host, port }: { host: string, port: number },
  { contentType, text }: Metrics
): Promise<{ url: string, server: Server }> {
  const server = createServer((request, response) => {
    // A scraper may be set up to add parameters.
    const [path] = request.url!.split('?', 1)
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end()
      return
    }
    text().then(
      (page) => { response.writeHead(200, { 'content-type': contentType }).end(page) },
      // A worker that does not answer in time, or that ended in between.
      () => { response.writeHead(503).end() }
    )
  })
  server.on('connection', (socket) => { socket.unref() })
  server.listen(port, host).unref()
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/metrics`, server }
}
