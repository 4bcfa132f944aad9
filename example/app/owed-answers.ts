import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const answersOf = new WeakMap<Socket, ServerResponse[]>()
const answeredUpTo = new WeakMap<Socket, number>()

/** Remembers which answers a connection still owes, and its latest one. */
export function trackAnswer ({ socket }: IncomingMessage, response: ServerResponse): void {
  answersOf.set(socket, [...owedAnswers(socket), response])
  response.once('finish', () => { answeredUpTo.set(socket, socket.bytesRead) })
}

/** The answers that a connection owes, in the order of their requests. */
export function owedAnswers (socket: Socket): ServerResponse[] {
  return (answersOf.get(socket) ?? []).filter(({ writableFinished }) => !writableFinished)
}

/** The answer to the latest request of a connection, finished or not; undefined before the first. */
export function latestAnswer (socket: Socket): ServerResponse | undefined {
  return answersOf.get(socket)?.at(-1)
}

/** Whether a connection owes no answer, and has received nothing since its last one. */
export function isIdle (socket: Socket): boolean {
  return owedAnswers(socket).length === 0 && socket.bytesRead === (answeredUpTo.get(socket) ?? 0)
}
