import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { BODY, call, put } from '../../support/example/server-client.js'
import { listen, listening, start, type Listener } from '../../support/example/server-process.js'
import { until } from '../../support/until.js'

const CONNECTIONS = 200
const MAX_REQUESTS = 150

/** How long a request may take to arrive, in milliseconds: time for all heads to arrive, also on a busy machine. */
const REQUEST_MS = 20_000

/** A PUT whose body trickles, and what the server says to it. */
async function slowPut (t: Test, port: string, id: string): Promise<{ socket: Socket, answer: Listener }> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  const answer = listen(socket)
  socket.write([
    `PUT /api/publishers/fabrikam/offers/${id}?api-version=2017-10-31 HTTP/1.1`,
    'Host: localhost',
    'Authorization: Bearer dev-fabrikam',
    'If-Match: *',
    'Content-Type: application/json',
    'Content-Length: 100000',
    '',
    BODY.slice(0, -1)
  ].join('\r\n'))
  return { socket, answer }
}

await t.test('200 clients whose bodies trickle: each is ended with 408 or 429 and nothing of theirs is written, and a good client has all its requests answered meanwhile', async (t) => {
  const server = start(t, { REQUEST_MS: String(REQUEST_MS), MAX_REQUESTS_PER_TOKEN: String(MAX_REQUESTS) })
  const port = await listening(server)
  const slow: Array<Awaited<ReturnType<typeof slowPut>>> = []
  for (let index = 0; index < CONNECTIONS; index++) slow.push(await slowPut(t, port, `slow-${index}`))
  const trickle = setInterval(() => {
    for (const { socket } of slow) if (socket.writable) socket.write(' ')
  }, 100)
  t.teardown(() => { clearInterval(trickle) })
  const texts = (): string[] => slow.map(({ answer }) => answer.text())
  const refused = (): number => texts().filter((text) => text.startsWith('HTTP/1.1 429 ')).length
  await until('those above the bound are refused', () => refused() === CONNECTIONS - MAX_REQUESTS)

  let rounds = 0
  let etag: string | null = null
  const isOver = (): boolean => texts().every((text) => text !== '')
  while (!isOver()) {
    const response: Response = await put(port, 'good', etag === null ? { 'if-none-match': '*' } : { 'if-match': etag })
    t.equal(response.status, etag === null ? 201 : 200)
    etag = response.headers.get('etag')
    const read = await call(port, '/good')
    t.strictSame([read.status, read.headers.get('etag')], [200, etag])
    rounds++
  }
  t.comment(`${rounds} writes of the good client`)
  t.ok(rounds > 0)
  clearInterval(trickle)

  for (const text of texts()) t.match(text, /^HTTP\/1\.1 (408 [^]*nothing was done|429 [^]*retry-after: \d)/i)
  t.equal(refused(), CONNECTIONS - MAX_REQUESTS, 'none is answered twice')
  const list = await fetch(`http://127.0.0.1:${port}/api/publishers/fabrikam/offers?api-version=2017-10-31`, {
    headers: { authorization: 'Bearer dev-fabrikam' }
  })
  t.strictSame([list.status, await list.json()], [200, []])
})
