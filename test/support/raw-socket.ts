import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { AppOptions } from '../../example/app/index.js'
import { loggedApp } from './example/app.js'

/** An answer as it came off the wire. */
export interface RawAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** The reference server on a port of its own, and the lines of its log that belong to requests. */
export async function listeningApp (t: Test, options: Partial<AppOptions> = {}) {
  const { app, logged } = await loggedApp(t, options)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, logged }
}

/** A connection to the app, which is destroyed when the test ends. */
export async function open (t: Test, app: FastifyInstance): Promise<Socket> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  return socket
}

/** Sends these bytes on a connection of their own, and gives all answers once the server has ended it. */
export async function exchange (t: Test, app: FastifyInstance, bytes: string): Promise<RawAnswer[]> {
  const socket = await open(t, app)
  socket.write(bytes)
  return await answersOf(socket)
}

/** All answers on a connection, once the server has ended it. */
export async function answersOf (socket: Socket): Promise<RawAnswer[]> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return parseAnswers(Buffer.concat(chunks).toString())
}

/** The answers in a text, where each body is as long as its Content-Length says. */
function parseAnswers (text: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = text; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n')
    const [line, ...fields] = rest.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(fields.map(parseField))
    const length = Number(headers['content-length'] ?? 0)
    answers.push({
      status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(line!)![1]),
      headers,
      body: rest.slice(end + 4, end + 4 + length)
    })
    rest = rest.slice(end + 4 + length)
  }
  return answers
}

function parseField (field: string): [name: string, value: string] {
  const colon = field.indexOf(':')
  return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
}
