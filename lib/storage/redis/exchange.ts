import { setImmediate as turn } from 'node:timers/promises'
import { within } from '../kit/deadline.js'
import type { RedisConnection } from './connection.js'
import { NotSentError, replyCode } from './faults.js'
import { callOf, evalCommandOf, replyOf, type Change, type Reply, type ScriptCall } from './script.js'

/** How many replicas must have a write, and how long that may take in milliseconds. */
export interface Wait { replicas: number, timeout: number }

/**
 * Commands and their answers on one connection. A command is sent only while the connection is ready, and its answer is
 * awaited for `timeout` milliseconds at most. Errors are those of the driver.
 */
export class RedisExchange {
  readonly #connection
  readonly #timeout
  readonly #wait
  #confirmation: Promise<unknown> | undefined
  /** How many commands have no answer yet. */
  #underWay = 0

  constructor (connection: RedisConnection, timeout: number, wait?: Wait) {
    this.#connection = connection
    this.#timeout = timeout
    this.#wait = wait
  }

  /** @param key decides which node of a Cluster gets the command */
  async ask (key: string, command: string[]): Promise<unknown> {
    const connection = this.#connection
    if (!connection.isReady) throw new NotSentError(connection.trouble)
    const isAlone = this.#underWay++ === 0
    let isSilent = false
    const late = (): Error => {
      isSilent = true
      return new Error(`there was no answer within ${this.#timeout} ms.`)
    }
    try {
      const answer = await within(this.#timeout, connection.send(key, command, isAlone), late)
      this.#underWay--
      return answer
    } catch (error) {
      this.#underWay--
      // A half-open connection stays silent for ever (engine-facts#any-engine-half-open-connection).
      if (isSilent || leadsNowhere(error)) connection.giveUp()
      throw error
    }
  }

  /** Asks, and then waits until as many replicas as demanded have everything that was written on this connection. */
  askConfirmed (key: string, command: string[]): Promise<unknown> {
    return this.#wait === undefined ? this.ask(key, command) : this.#askAndWait(key, command, this.#wait)
  }

  async #askAndWait (key: string, command: string[], wait: Wait): Promise<unknown> {
    const [answer, replicas] = await Promise.allSettled([this.ask(key, command), this.#confirm(key)])
    if (answer.status === 'rejected') throw answer.reason
    const confirmed = replicas.status === 'fulfilled' ? Number(replicas.value) : 0
    if (confirmed >= wait.replicas || isRefusal(answer.value)) return answer.value
    throw new Error(
      `${confirmed} of ${wait.replicas} replicas have confirmed the write in time. Look at the replicas.`
    )
  }

  /** Runs the script, and waits for the replicas as `askConfirmed` does. */
  async change (change: Change): Promise<Reply> {
    const call = callOf(change)
    try {
      return replyOf(await this.askConfirmed(change.entity, call.evalsha))
    } catch (error) {
      assertUnknownScript(error)
      return replyOf(await this.askConfirmed(change.entity, evalCommandOf(call)))
    }
  }

  /** Runs a script that changes nothing. */
  async askScript (key: string, call: ScriptCall): Promise<unknown> {
    try {
      return await this.ask(key, call.evalsha)
    } catch (error) {
      assertUnknownScript(error)
      return await this.ask(key, evalCommandOf(call))
    }
  }

  // WAIT holds up its connection, so all writes of one turn of the event loop share one (engine-facts#redis-wait). It
  // counts only writes of its own connection: within a turn no connection is lost and made anew.
  async #confirm (key: string): Promise<unknown> {
    this.#confirmation ??= turn().then(() => {
      this.#confirmation = undefined
      const { replicas, timeout } = this.#wait!
      return this.ask(key, ['WAIT', String(replicas), String(timeout)])
    })
    return await this.#confirmation
  }
}

// The server does not know the script and ran nothing, so sending its text is no resending
// (engine-facts#redis-noscript).
function assertUnknownScript (error: unknown): void {
  if (replyCode(error) !== 'NOSCRIPT') throw error
}

// The server became a replica. Or node-redis reports "The client is closed", because it gave up on a node of a Cluster:
// reconnecting tells which node owns the slot now (engine-facts#node-redis-cluster-closed-node).
function leadsNowhere (error: unknown): boolean {
  return replyCode(error) === 'READONLY' || (error as Error).message === 'The client is closed'
}

// A refused change has written nothing that replicas could confirm.
function isRefusal (answer: unknown): boolean {
  return (answer as Reply)[0] === 0
}
