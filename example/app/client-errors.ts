import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError, errorAnswer } from './errors.js'
import { latestAnswer, owedAnswers } from './owed-answers.js'

const ERROR_OF_CODE: Readonly<Record<string, ApiError>> = {
  HPE_HEADER_OVERFLOW: new ApiError(
    431,
    'BadRequest',
    'The address and the headers are together larger than 16 KB. Send fewer or shorter ones.'
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new ApiError(
    408,
    'BadRequest',
    'The request did not arrive in time, and nothing was done. Send it again.'
  )
}
const UNREADABLE = new ApiError(
  400,
  'BadRequest',
  'This is not a request that HTTP/1.1 allows. Check its method, its headers and the form of its body.'
)

// Time for the answer to reach a client that still sends: closing on unread bytes would reset the connection, and the
// client could lose the answer (RFC 9112 9.6).
const LINGER_MS = 1000

const refused = new WeakSet<Socket>()

/** Answers, in the form of the API, bytes that Node could not read as a request. No hook and no handler sees them. */
export function answerUnreadable (this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  // Node reports every further piece (engine-facts#node-client-error-repeats).
  if (refused.has(socket)) return
  refused.add(socket)
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  // The rest may still arrive, and the request would be carried out after its refusal.
  if (isLate) socket.pause()
  void refuseInTurn(this, error, socket).then(() => {
    if (isLate) socket.destroySoon()
    else linger(socket)
  })
}

/**
 * Refuses after the answers to earlier requests of the connection, as answers come in order: a client must not take the
 * refusal for the answer to a write that is under way. A request that broke off in its body may have its answer by
 * then, and gets no second one.
 */
async function refuseInTurn (app: FastifyInstance, error: { code?: string }, socket: Socket): Promise<void> {
  const latest = latestAnswer(socket)
  const broken = latest?.req.complete === false ? latest : undefined
  const ahead = owedAnswers(socket).filter((answer) => answer !== broken || answer.headersSent)
  await Promise.all(ahead.map((answer) => new Promise((resolve) => { answer.once('close', resolve) })))
  if (broken?.headersSent !== true && socket.writable) refuse(app, error, socket)
}

function linger (socket: Socket): void {
  socket.end()
  setTimeout(() => { socket.destroy() }, LINGER_MS).unref()
}

function refuse ({ log }: FastifyInstance, { code }: { code?: string }, socket: Socket): void {
  const id = randomUUID()
  log.info({ reqId: id, code }, 'request unreadable')
  const { status, headers, body } = errorAnswer(ERROR_OF_CODE[code ?? ''] ?? UNREADABLE, id)
  const content = JSON.stringify(body)
  const fields = {
    ...headers,
    date: new Date().toUTCString(),
    'content-length': Buffer.byteLength(content),
    connection: 'close'
  }
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  ]
  socket.write([...lines, '', content].join('\r\n'))
}
