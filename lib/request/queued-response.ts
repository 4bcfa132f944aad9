import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

type QueuedResponse = Pick<ServerResponse, 'destroy' | 'emit' | 'headersSent' | 'once' | 'socket'>

const queues = new WeakMap<Socket, Set<QueuedResponse>>()

/**
 * Makes a response that waits for its turn in a pipeline tell of the end of its connection by `close`, as others do.
 * Node leaves that out (engine-facts#node-queued-answers).
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
      response.destroy()
      response.emit('close')
    }
  }
}
