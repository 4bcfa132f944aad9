import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import { closeWithConnection } from '../../../lib/request/queued-response.js'

/** A connection, and responses to its requests, which tell when they are destroyed and closed. */
function connection (isDestroyed = false) {
  const socket = Object.assign(new EventEmitter(), { destroyed: isDestroyed })
  const told: string[] = []
  const respond = (
    name: string, parts: { socket?: unknown, headersSent?: boolean, destroyed?: boolean } = {}
  ): EventEmitter => {
    const response = Object.assign(new EventEmitter(), {
      socket: null,
      headersSent: false,
      destroy: () => { told.push(`${name} destroyed`) },
      ...parts
    })
    response.on('close', () => { told.push(`${name} closed`) })
    closeWithConnection({ socket } as unknown as IncomingMessage, response as unknown as ServerResponse)
    return response
  }
  return { socket, told, respond }
}

await t.test('queued-response: responses that wait in a pipeline are destroyed, and tell of it, when the connection ends', async (t) => {
  const { socket, told, respond } = connection()
  respond('b')
  respond('c').emit('close')
  respond('d')
  respond('e', { destroyed: true }) // by Node.js itself, where it does that
  t.equal(socket.listenerCount('close'), 1)
  socket.emit('close')
  t.strictSame(told, ['c closed', 'b destroyed', 'b closed', 'd destroyed', 'd closed'])
})

await t.test('queued-response: one that has the connection, or had it, is left to Node.js', async (t) => {
  const { socket, told, respond } = connection()
  respond('a', { socket })
  respond('b', { headersSent: true })
  t.equal(socket.listenerCount('close'), 0)
  t.strictSame(told, [])
})

await t.test('queued-response: one whose connection is gone already is destroyed at once', async (t) => {
  const { told, respond } = connection(true)
  respond('b')
  t.strictSame(told, ['b destroyed'])
})
