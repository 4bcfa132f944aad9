import { Client, get, put, type Answer } from './client.js'
import type { Report } from './protocol.js'
import type { ServerProcess } from './server-process.js'
import type { Servers } from './servers.js'

/**
 * How the requests of a round reach the servers:
 *
 * - `plain`: as they come
 * - `held`: all lie in the servers' sockets before a server reads any
 * - `split`: all servers have seen all headers before the second half of any body is sent; both halves are held
 */
export type Mode = 'plain' | 'held' | 'split'
export const MODES: readonly Mode[] = ['plain', 'held', 'split']

/** What became of the requests of a round. Three lists in the same order: the clients'. */
export interface Outcome {
  bodies: string[]
  answers: Answer[]
  /** By server, with the number of requests that it was sent. */
  reports: Array<Report & { requests: number }>
}

const LONGEST_ROUND = 10_000

/** So many keep-alive clients, spread evenly over the servers. */
export class Race {
  readonly clients: readonly Client[]
  readonly #servers: readonly ServerProcess[]
  #rounds = 0

  static async connect ({ all }: Servers, clients: number): Promise<Race> {
    const race = new Race(all, await Promise.all(Array.from({ length: clients }, (_, at) => Client.connect(all[at % all.length]!.port))))
    // A connection that was answered is accepted: from here on a held server has it.
    await Promise.all(race.clients.map((client) => client.request(get('/things/none'))))
    return race
  }

  private constructor (servers: readonly ServerProcess[], clients: readonly Client[]) {
    this.#servers = servers
    this.clients = clients
  }

  /** One request outside of a round. */
  request (text: string): Promise<Answer> {
    return this.clients[0]!.request(text)
  }

  /** Each client sends a PUT with this precondition and a body of its own. Rejects if it takes too long. */
  async round (mode: Mode, path: string, precondition: string): Promise<Outcome> {
    let bound: NodeJS.Timeout | undefined
    const tooLong = new Promise<never>((_resolve, reject) => {
      bound = setTimeout(() => reject(new Error(`a round did not end: ${mode}, ${path}`)), LONGEST_ROUND)
    })
    try {
      return await Promise.race([this.#round(mode, path, precondition), tooLong])
    } finally {
      clearTimeout(bound)
    }
  }

  close (): void {
    for (const client of this.clients) client.close()
  }

  async #round (mode: Mode, path: string, precondition: string): Promise<Outcome> {
    const shares = this.#servers.map((_server, at) => this.clients.filter((_client, client) => client % this.#servers.length === at).length)
    await Promise.all(this.#servers.map((server, at) => server.begin(shares[at]!)))
    const round = this.#rounds++
    const bodies = this.clients.map((_client, writer) => JSON.stringify({ round, writer, filler: '.'.repeat(64) }))
    const requests = bodies.map((body) => put(path, precondition, body))
    const [answers] = await Promise.all([Promise.all(this.clients.map((client) => client.answer())), this.#send(mode, requests)])
    const reports = await Promise.all(this.#servers.map((server) => server.end()))
    return { bodies, answers, reports: reports.map((report, at) => ({ ...report, requests: shares[at]! })) }
  }

  async #send (mode: Mode, requests: readonly string[]): Promise<void> {
    const sendAll = (pieces: readonly string[]) => Promise.all(this.clients.map((client, at) => client.send(pieces[at]!)))
    const held = async (pieces: readonly string[]) => {
      await Promise.all(this.#servers.map((server) => server.hold()))
      await sendAll(pieces)
      for (const server of this.#servers) server.release()
    }
    if (mode === 'plain') await sendAll(requests)
    if (mode === 'held') await held(requests)
    if (mode === 'split') {
      const halves = requests.map((request) => Math.floor((request.indexOf('\r\n\r\n') + 4 + request.length) / 2))
      const seen = Promise.all(this.#servers.map((server) => server.seen()))
      await Promise.all([seen, held(requests.map((request, at) => request.slice(0, halves[at])))])
      await held(requests.map((request, at) => request.slice(halves[at])))
    }
  }
}
