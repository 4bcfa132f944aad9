import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError, refusalOf } from '../app/errors.js'

const REFUSALS: Readonly<Record<string, ApiError>> = {
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

// Time for the answer to reach a client that still sends: bytes that nobody reads would reset the connection (RFC 9112 9.6).
const LINGER_MS = 1000

const answers = new WeakMap<Socket, ServerResponse[]>()
const refused = new WeakSet<Socket>()

/** Remembers which answers a connection still owes, and its latest one. */
export function noteRequest ({ socket }: IncomingMessage, response: ServerResponse): void {
  const owed = (answers.get(socket) ?? []).filter(({ writableFinished }) => !writableFinished)
  answers.set(socket, [...owed, response])
}

/** Answers, in the form of the API, what Node could not read as a request; no hook and no handler ever sees it. */
export function answerUnreadable (this: FastifyInstance, error: Error & { code?: string }, socket: Socket): void {
  // Node tells of every further piece.
  if (refused.has(socket)) return
  refused.add(socket)
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  // The rest may still come, and the request would be carried out behind its refusal.
  if (isLate) socket.pause()
  void refuseInTurn(this, error, socket).then(() => {
    if (isLate) socket.destroySoon()
    else linger(socket)
  })
}

/**
 * Refuses behind the answers to what was asked ahead on the same connection, which come in order: a write that is under
 * way must not be taken for refused. A request that broke off in its body may have its answer by then; that is the only one.
 */
async function refuseInTurn (app: FastifyInstance, error: { code?: string }, socket: Socket): Promise<void> {
  const owed = answers.get(socket) ?? []
  const broken = owed.at(-1)?.req.complete === false ? owed.at(-1) : undefined
  for (const response of owed) {
    const isUnanswered = response === broken && !response.headersSent
    if (!isUnanswered && !response.writableFinished) await new Promise((resolve) => { response.once('close', resolve) })
  }
  if (broken?.headersSent !== true && socket.writable) refuse(app, error, socket)
}

function linger (socket: Socket): void {
  socket.end()
  setTimeout(() => { socket.destroy() }, LINGER_MS).unref()
}

function refuse ({ log }: FastifyInstance, { code }: { code?: string }, socket: Socket): void {
  const id = randomUUID()
  log.info({ reqId: id, code }, 'request unreadable')
  const { status, headers, body } = refusalOf(REFUSALS[code ?? ''] ?? UNREADABLE, id)
  const content = JSON.stringify(body)
  const fields = {
    ...headers,
    date: new Date().toUTCString(),
    'content-length': Buffer.byteLength(content),
    connection: 'close'
  }
  socket.write(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
      '',
      content
    ].join('\r\n')
  )
}
