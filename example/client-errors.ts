import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { REQUEST_ID } from './request-id.js'
import type { ErrorBody } from './error-schema.js'

const STATUS_OF_CODE: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** Answers, in the form of the API, what Node could not read as a request; no hook and no handler ever sees it. */
export function answerUnreadable (this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = STATUS_OF_CODE[error.code ?? ''] ?? 400
  const id = randomUUID()
  this.log.info({ reqId: id, code: error.code }, 'request unreadable')
  const body: ErrorBody = { error: { code: 'BadRequest', message: `The request cannot be read: ${STATUS_CODES[status]}.` } }
  const content = JSON.stringify(body)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${content.length}\r\n${REQUEST_ID}: ${id}\r\nConnection: close\r\n\r\n${content}`)
}
