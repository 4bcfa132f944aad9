import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { BODY } from './server-client.js'
import { listen, type Listener } from './server-process.js'

/** A PUT whose body lacks its end. */
export interface StartedPut {
  socket: Socket
  /** The bytes of its answer. */
  answer: Listener
  /** Sends the end of the body. */
  finish: () => void
}

/** Begins to PUT the offer `in-flight`. Resolves once the server has taken the head, and waits for more of the body. */
export async function startPut (t: Test, port: string): Promise<StartedPut> {
  const socket = connect(Number(port), '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  const answer = listen(socket)
  const head = [
    'PUT /api/publishers/contoso/offers/in-flight?api-version=2017-10-31 HTTP/1.1',
    'Host: localhost',
    'Authorization: Bearer dev-contoso',
    'If-Match: *',
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
    'Expect: 100-continue'
  ]
  socket.write([...head, '', BODY.slice(0, -2)].join('\r\n'))
  await answer.says(/100 Continue/)
  return { socket, answer, finish: () => { socket.write(BODY.slice(-2)) } }
}
