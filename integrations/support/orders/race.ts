import Fastify from 'fastify'
import type { Test } from 'tap'
import { barrier, type Barrier } from '../../../test/support/barrier.js'
import { listen } from '../../../test/support/offers-app.js'
import { Client, get, put, type Answer } from '../../../test/support/race/client.js'
import { flawsOfOneWinner } from '../../../test/support/race/rules.js'
import type { Line, Order } from '../../order.js'
import { addOrders } from './app.js'
import type { OrdersClient } from './client.js'

const WRITERS = 32
const READERS = 4

/** What became of a round. */
export interface Round {
  /** What the rules of a race object to. */
  flaws: string[]
  winners: number
  stored: Order
}

/** A server on a port of its own, and keep-alive connections that write and read one order at the same moment. */
export class OrdersRace {
  readonly #writers: Client[]
  readonly #readers: Client[]
  readonly #expect: (count: number) => Barrier<void>['opened']
  #rounds = 0

  static async start (t: Test, orders: OrdersClient): Promise<OrdersRace> {
    const app = Fastify({ forceCloseConnections: true })
    t.teardown(async () => { await app.close() })
    let arrived = 0
    let all = { count: 0, met: barrier() }
    app.addHook('onRequest', async () => {
      if (++arrived === all.count) all.met.open()
    })
    await addOrders(app, orders)
    const port = await listen(app)
    const connect = async (count: number) =>
      await Promise.all(Array.from({ length: count }, async () => await Client.connect(port)))
    const race = new OrdersRace(await connect(WRITERS), await connect(READERS), (count) => {
      arrived = 0
      all = { count, met: barrier() }
      return all.met.opened
    })
    t.teardown(() => {
      for (const client of [...race.#writers, ...race.#readers]) client.close()
    })
    return race
  }

  private constructor (writers: Client[], readers: Client[], expect: (count: number) => Barrier<void>['opened']) {
    this.#writers = writers
    this.#readers = readers
    this.#expect = expect
  }

  async read (path: string): Promise<Answer> {
    return await this.#readers[0]!.request(get(path))
  }

  /**
   * Each writer sends a PUT with this precondition and an order of its own. The server has the headers of all of them
   * before it gets a body. Readers, and `meanwhile`, begin with the bodies.
   */
  async round (
    path: string,
    precondition: string,
    success: 200 | 201,
    meanwhile: () => Promise<unknown> = async () => {}
  ): Promise<Round> {
    const bodies = this.#writers.map((_, writer) => JSON.stringify(orderOf(this.#rounds, writer)))
    this.#rounds++
    const requests = bodies.map((body) => put(path, precondition, body))
    const answers = Promise.all(this.#writers.map(async (client) => await client.answer()))
    const met = this.#expect(WRITERS)
    const send = async (piece: (request: string) => string) =>
      await Promise.all(this.#writers.map(async (client, writer) => await client.send(piece(requests[writer]!))))
    await Promise.all([met, send((request) => request.slice(0, bodyOf(request)))])
    const [, , reads] = await Promise.all([
      send((request) => request.slice(bodyOf(request))),
      meanwhile(),
      Promise.all(this.#readers.map(async (client) => await client.request(get(path))))
    ])
    const outcome = { bodies, answers: await answers, reports: [] }
    const winners = outcome.answers.filter(({ status }) => status === success)
    const stored = await this.read(path)
    const inOrder = { ...stored, body: canonical(stored.body) }
    return {
      winners: winners.length,
      stored: JSON.parse(stored.body) as Order,
      flaws: [...flawsOfOneWinner(outcome, success, inOrder), ...flawsOfReads(reads, winners)]
    }
  }
}

/** An order whose every part tells who wrote it. No two of one round have the same number of lines and names. */
function orderOf (round: number, writer: number): Order {
  const mark = `${round}-${writer}`
  const lines = Array.from({ length: writer % 4 }, (_, index) => ({ sku: `${mark}-${index}`, quantity: writer + 1 }))
  return { customer: mark, note: writer % 2 === 0 ? null : mark, lines }
}

// What is read under the tag of a write is what that write stored.
function flawsOfReads (reads: Answer[], winners: Answer[]): string[] {
  return reads.flatMap(({ etag, body }) => winners
    .filter((winner) => winner.etag === etag && canonical(winner.body) !== canonical(body))
    .map(() => `read under the tag of the winner: ${body}`))
}

function bodyOf (request: string): number {
  return request.indexOf('\r\n\r\n') + 4
}

// A client may give members in another order.
function canonical (body: string): string {
  const { customer, note, lines = [] } = JSON.parse(body) as Partial<Order>
  return JSON.stringify({ customer, note, lines: lines.map(({ sku, quantity }: Line) => ({ sku, quantity })) })
}
