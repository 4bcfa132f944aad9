// A server process of a race. Started by `server-process.ts`, with its ServerConfig as JSON in argv[2].
import Fastify from 'fastify'
import { readSync, writeSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createStorage } from '../../../example/storage/index.js'
import { lateAdapter, watchedAdapter } from './late-adapter.js'
import { LINE, type Command, type Message, type ServerConfig } from './protocol.js'
import { addRoutes } from './routes.js'
import { ServerRound } from './server-round.js'

const config = JSON.parse(process.argv[2]!) as ServerConfig
let round: ServerRound | undefined
let isLate = false

function tell (message: Message): void {
  process.send!(message)
}

/**
 * Stands still until the test writes to the line. Nothing runs between the answer and the wait, so no socket is read.
 */
function hold (): void {
  writeSync(LINE, 'h')
  readSync(LINE, Buffer.alloc(1))
}

process.on('message', (command: Command) => {
  switch (command.kind) {
    case 'answerLate':
      isLate = command.isLate
      return tell({ kind: 'paced' })
    case 'begin':
      round = new ServerRound(command.requests, tell)
      return tell({ kind: 'begun' })
    case 'hold':
      return hold()
    case 'open':
      return round?.open()
    case 'end':
      tell({ kind: 'ended', report: round!.report })
      round = undefined
  }
})

const watched = watchedAdapter(await createStorage(config.storage), () => round?.write())
// Between the rounds nobody opens the gate: there, late is one turn of the event loop.
const storage = lateAdapter(watched, () => isLate, () => round?.atGate() ?? nextTurn())

const app = Fastify({ forceCloseConnections: true })
app.addHook('onRequest', (_request, reply, done) => {
  round?.arrive(reply.raw)
  done()
})
await addRoutes(app, storage, config.decider)
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.once('disconnect', () => { app.close().catch((error) => { throw error }) })
tell({ kind: 'listening', port: Number(new URL(address).port) })
