import { Client, get, put, type Answer } from './client.js'
import type { Report } from './protocol.js'
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

/** What became of the requests of a round. Answers and bodies are in the order of the clients. */
export interface Outcome {
  bodies: string[]
  answers: Answer[]
  /** By server, with the number of requests that it was sent. */
  reports: Array<Report & { requests: number }>
}

// In seconds. A round takes some milliseconds.
const LONGEST = 10

/** So many keep-alive clients, spread evenly over the servers. */
export class Race {
  readonly clients: readonly Client[]
  readonly #servers: Servers
  #rounds = 0

  static async connect (servers: Servers, clients: number): Promise<Race> {
    const { all } = servers
    const race = new Race(
      servers,
      await Promise.all(Array.from({ length: clients }, (_, at) => Client.connect(all[at % all.length]!.port)))
    )
    // A connection that was answered is accepted: from here on a held server has it.
    await servers.within(
      LONGEST,
      'a first answer',
      Promise.all(race.clients.map((client) => client.request(get('/things/none'))))
    )
    return race
  }

  private constructor (servers: Servers, clients: readonly Client[]) {
    this.#servers = servers
    this.clients = clients
  }

  /** One request outside of a round. */
  request (text: string): Promise<Answer> {
    return this.#servers.within(LONGEST, text, this.clients[0]!.request(text))
  }

  /** Each client sends a PUT with this precondition and a body of its own. */
  async round (mode: Mode, path: string, precondition: string): Promise<Outcome> {
    return this.#servers.within(LONGEST, `${mode}, ${path}, ${precondition}`, this.#round(mode, path, precondition))
  }

  close (): void {
    for (const client of this.clients) client.close()
  }

  async #round (mode: Mode, path: string, precondition: string): Promise<Outcome> {
    const { all } = this.#servers
    const shares = all.map((_server, at) => this.clients.filter((_client, client) => client % all.length === at).length)
    await Promise.all(all.map((server, at) => server.begin(shares[at]!)))
    const round = this.#rounds++
    const bodies = this.clients.map((_client, writer) => JSON.stringify({ round, writer, filler: '.'.repeat(64) }))
    const requests = bodies.map((body) => put(path, precondition, body))
    const [answers] = await Promise.all([
      Promise.all(this.clients.map((client) => client.answer())),
      this.#send(mode, requests)
    ])
    const reports = await Promise.all(all.map((server) => server.end()))
    return { bodies, answers, reports: reports.map((report, at) => ({ ...report, requests: shares[at]! })) }
  }

  async #send (mode: Mode, requests: readonly string[]): Promise<void> {
    const { all } = this.#servers
    const sendAll = (pieces: readonly string[]) =>
      Promise.all(this.clients.map((client, at) => client.send(pieces[at]!)))
    const held = async (pieces: readonly string[]) => {
      await Promise.all(all.map((server) => server.hold()))
      await sendAll(pieces)
      for (const server of all) server.release()
    }
    if (mode === 'plain') await sendAll(requests)
    if (mode === 'held') await held(requests)
    if (mode === 'split') {
      const halves = requests.map((request) => Math.floor((request.indexOf('\r\n\r\n') + 4 + request.length) / 2))
      const seen = Promise.all(all.map((server) => server.seen()))
      await Promise.all([seen, held(requests.map((request, at) => request.slice(0, halves[at])))])
      await held(requests.map((request, at) => request.slice(halves[at])))
    }
  }
}
