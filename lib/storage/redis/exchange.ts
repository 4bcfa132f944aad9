import { setImmediate as turn } from 'node:timers/promises'
import type { RedisConnection } from './connect.js'
import { NotSentError, replyCode } from './faults.js'
import { commandsOf, type Change } from './script.js'
import { within } from '../kit/deadline.js'

/** How many replicas must have a write, and how long that may take in milliseconds. */
export interface Wait { replicas: number, timeout: number }

/** What the script answers: 1 and the version that was replaced, or 0 and what stands in the way. */
export type Reply = [done: number, ...fields: Array<string | null>]

/**
 * Commands and their answers on one connection. None is sent unless it goes out now, and none is waited for longer than
 * stated (E42, E44); errors are the driver's.
 */
export class RedisExchange {
  readonly #connection
  readonly #patience
  readonly #wait
  #confirmation: Promise<unknown> | undefined

  constructor (connection: RedisConnection, patience: number, wait?: Wait) {
    this.#connection = connection
    this.#patience = patience
    this.#wait = wait
  }

  async ask (key: string, command: string[]): Promise<unknown> {
    const connection = this.#connection
    if (!connection.isReady) throw new NotSentError(connection.trouble)
    let isSilent = false
    const late = () => {
      isSilent = true
      return new Error(`there was no answer within ${this.#patience} ms.`)
    }
    try {
      return await within(this.#patience, connection.send(key, command), late)
    } catch (error) {
      // A half-open connection stays silent for ever (E44), and a server that was demoted stays a replica. What node-redis
      // calls closed in a Cluster is a node that was tried often enough: others may serve its slots by now.
      if (isSilent || replyCode(error) === 'READONLY' || (error as Error).message === 'The client is closed') { connection.giveUp() }
      throw error
    }
  }

  /** As `ask`, and then as many replicas have all of it as were asked for. */
  async askConfirmed (key: string, command: string[]): Promise<unknown> {
    if (this.#wait === undefined) return await this.ask(key, command)
    const [answer, replicas] = await Promise.allSettled([this.ask(key, command), this.#confirm(key)])
    if (answer.status === 'rejected') throw answer.reason
    const confirmed = replicas.status === 'fulfilled' ? Number(replicas.value) : 0
    if (confirmed >= this.#wait.replicas || isRefusal(answer.value)) return answer.value
    throw new Error(
      `${confirmed} of ${this.#wait.replicas} replicas have confirmed the write in time. Look at the replicas.`
    )
  }

  async change (change: Change): Promise<Reply> {
    const commands = commandsOf(change)
    try {
      return await this.askConfirmed(change.entity, commands.evalsha) as Reply
    } catch (error) {
      // The server has not seen the script since it started. That comes before anything ran, so nothing is sent twice (E46).
      if (replyCode(error) !== 'NOSCRIPT') throw error
      return await this.askConfirmed(change.entity, commands.eval) as Reply
    }
  }

  // One WAIT confirms what a turn has sent before it. It holds up its connection, so there must not be many. It is about
  // the commands of its own connection, and within a turn no connection is lost and made anew.
  async #confirm (key: string): Promise<unknown> {
    this.#confirmation ??= turn().then(() => {
      this.#confirmation = undefined
      const { replicas, timeout } = this.#wait!
      return this.ask(key, ['WAIT', String(replicas), String(timeout)])
    })
    return await this.#confirmation
  }
}

// What was refused changed nothing that replicas could confirm.
function isRefusal (answer: unknown): boolean {
  return (answer as Reply)[0] === 0
}
