import type { FastifyInstance } from 'fastify'
import type { Socket } from 'node:net'
import { answerUnreadable } from './client-errors.js'
import { isIdle, latestAnswer, owedAnswers } from './owed-answers.js'

/**
 * Ends every connection when the server closes, so that none holds the process:
 *
 * - at once, where no request has begun;
 * - with its last answer, where requests are being answered. Kept alive, it would hold the process for the 72 seconds
 *   of its keepAliveTimeout (http-server.ts);
 * - after `patience` milliseconds, where a request is half received: that is 408 then, and not carried out. An answer
 *   that the client does not take has as long twice.
 *
 * Node does the first alone, and not for a connection that never sent a byte; and it looks no more for slow requests
 * (engine-facts#node-close-silent).
 */
export function drainConnections (app: FastifyInstance, patience: number): void {
  const connections = new Set<Socket>()
  let isClosing = false
  let timer: NodeJS.Timeout | undefined
  app.server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => { connections.delete(socket) })
  })
  // In place of Node's own, which cuts off answers that are not sent whole (engine-facts#node-close-unsent).
  app.server.closeIdleConnections = () => { for (const socket of connections) if (isIdle(socket)) socket.destroy() }

  app.addHook('preClose', async () => {
    isClosing = true
    app.log.info('stopping')
    for (const socket of connections) {
      const latest = latestAnswer(socket)
      // Its headers did not say that it is the last one.
      if (latest?.headersSent === true) latest.once('close', () => { socket.destroySoon() })
    }
    // Again and again, for what was still being answered the time before. It is not the timer that keeps the process.
    timer = setInterval(() => { for (const socket of connections) giveUp(app, socket) }, patience).unref()
  })

  // Fastify has closed the server by then, and with it the last connection.
  app.addHook('onClose', async () => { clearInterval(timer) })

  app.addHook('onSend', async ({ raw }, reply) => {
    if (!isClosing) return
    // Nothing follows an answer that ends its connection, so only the last one of a pipeline says that it does.
    if (owedAnswers(raw.socket).at(-1) === reply.raw) reply.header('connection', 'close')
    else reply.raw.removeHeader('connection')
  })
}

const untaken = new WeakSet<Socket>()

/** Closes a connection behind the answers that it owes. */
function giveUp (app: FastifyInstance, socket: Socket): void {
  if (socket.writableLength === 0) answerUnreadable.call(app, new RequestTimeout(), socket)
  // The answer may have begun just now.
  else if (untaken.has(socket)) socket.destroy()
  else untaken.add(socket)
}

/** What Node calls a request that is too slow. */
class RequestTimeout extends Error {
  readonly code = 'ERR_HTTP_REQUEST_TIMEOUT'
}
