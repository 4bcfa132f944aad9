import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

type QueuedResponse = Pick<ServerResponse, 'destroy' | 'destroyed' | 'emit' | 'headersSent' | 'once' | 'socket'>

const queues = new WeakMap<Socket, Set<QueuedResponse>>()

/**
 * Makes a response that waits for its turn in a pipeline tell of the end of its connection by `close`, as others do.
 * Node.js 20 and 22 leave that out (engine-facts#node-queued-answers).
 */
export function closeWithConnection ({ socket }: Pick<IncomingMessage, 'socket'>, response: QueuedResponse): void {
  if (response.socket !== null || response.headersSent) return
  if (socket.destroyed) {
    response.destroy()
    return
  }
  let queue = queues.get(socket)
  if (queue === undefined) {
    queue = new Set()
    queues.set(socket, queue)
    // One listener for all that wait: many of them would look like a leak.
    socket.once('close', closeAll(queue))
  }
  queue.add(response)
  response.once('close', () => { queue.delete(response) })
}

function closeAll (queue: Set<QueuedResponse>): () => void {
  return () => {
    for (const response of queue) {
      if (response.destroyed) continue // Node.js 24 has done so, and lets it tell
      response.destroy()
      response.emit('close')
    }
  }
}
