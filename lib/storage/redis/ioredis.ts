import { setImmediate } from 'node:timers' // that of the platform, also where an app's tests replace the global one
import type { Corkable, IoredisClient, IoredisCluster } from './client.js'
import { reconnectPause, type RedisConnection } from './connection.js'
import { replyCode } from './faults.js'

// How long a connection that is closing may still bring answers, in milliseconds.
const DISCONNECT_TIMEOUT = 100

/** @param timeout how long an answer may take, in milliseconds */
export function ioredisConnection (client: IoredisClient, timeout: number): RedisConnection {
  return new IoredisConnection(
    client.duplicate({ ...optionsFor(timeout), enableOfflineQueue: false, retryStrategy: reconnectPause })
  )
}

/** @param timeout how long an answer may take, in milliseconds */
export function ioredisClusterConnection (client: IoredisCluster, timeout: number): RedisConnection {
  return new IoredisConnection(
    client.duplicate([], {
      lazyConnect: true,
      enableOfflineQueue: false,
      // Above 0, a Cluster sends a lost command again, whatever its nodes are told
      // (engine-facts#ioredis-cluster-resends).
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      clusterRetryStrategy: reconnectPause,
      scaleReads: 'master',
      enableAutoPipelining: false,
      redisOptions: { ...client.options.redisOptions, ...optionsFor(timeout) }
    })
  )
}

// The options of a connection to one server, and of those to the nodes of a Cluster.
function optionsFor (timeout: number): object {
  return {
    lazyConnect: true,
    // A lost answer is an error at once, and its command is not sent again (engine-facts#ioredis-no-resend-options).
    maxRetriesPerRequest: 0,
    // After a fail-over the same address may lead to the new master. `true` connects anew; 2 would also send again.
    reconnectOnError: (error: Error) => replyCode(error) === 'READONLY',
    // It counts only while an answer is awaited, so an idle connection stays (engine-facts#ioredis-half-open).
    socketTimeout: timeout,
    connectTimeout: timeout,
    disconnectTimeout: DISCONNECT_TIMEOUT,
    commandTimeout: undefined,
    role: 'master',
    readOnly: false,
    monitor: false,
    stringNumbers: false,
    protocol: 2,
    replyMapping: 'legacy',
    enableAutoPipelining: false
  }
}

class IoredisConnection implements RedisConnection {
  trouble: Error | undefined
  readonly #client: IoredisClient | IoredisCluster
  /** The socket that gathers what is sent in this turn of the event loop. */
  #corked: Corkable | undefined
  /** Whether SELECT failed on this connection, which is then in another database than the client asked for. */
  #isInWrongDatabase = false

  constructor (client: IoredisClient | IoredisCluster) {
    this.#client = client
    client.on('connect', () => { this.#isInWrongDatabase = false })
    client.on('error', (error) => { this.#note(error) })
    // The error of an outage that is over explains nothing about the next one.
    client.on('ready', () => { this.trouble = undefined })
  }

  get isReady (): boolean {
    return this.#client.status === 'ready'
  }

  async open (): Promise<void> {
    await this.#client.connect()
    if (!('nodes' in this.#client)) return
    // Otherwise the first command connects its node, and is refused meanwhile
    // (engine-facts#ioredis-cluster-first-command).
    const waiting = this.#client.nodes('master').filter(({ status }) => status === 'wait')
    await Promise.allSettled(waiting.map(async (node) => { await node.connect() }))
  }

  send (_key: string, [name, ...args]: [string, ...string[]], isAlone = true): Promise<unknown> {
    if (!isAlone) this.#gather()
    return this.#client.call(name, ...args)
  }

  // The driver writes each command to its socket by itself. What is sent within one turn of the event loop leaves at
  // its end, in one packet (engine-facts#ioredis-one-packet-per-turn). A Cluster has a socket for each of its nodes.
  #gather (): void {
    const stream = 'stream' in this.#client ? this.#client.stream : undefined
    if (stream === undefined || stream === this.#corked) return
    this.#corked = stream
    stream.cork()
    setImmediate(() => {
      this.#corked = undefined
      stream.uncork()
    })
  }

  // Nothing to do: `socketTimeout` and `reconnectOnError` make the driver connect anew by itself.
  giveUp (): void {}

  close (): void {
    this.#client.disconnect()
  }

  #note (error: IoredisError): void {
    // Errors that follow from ending the connection explain less than the first one.
    if (this.#isInWrongDatabase) return
    // A Cluster says that all nodes failed; what one of them said explains it
    // (engine-facts#ioredis-cluster-last-error).
    this.trouble = error.lastNodeError ?? error
    if (error.command?.name !== 'select') return
    // The driver would go on in database 0, which is somebody else's (engine-facts#ioredis-failed-select).
    this.#isInWrongDatabase = true
    this.#client.disconnect(true)
  }
}

/**
 * An error of ioredis: with the command that was refused, and for a Cluster with the error of the last node it tried.
 */
interface IoredisError extends Error { command?: { name: string }, lastNodeError?: Error | null }
