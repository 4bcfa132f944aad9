import type { IoredisClient, IoredisCluster } from './client.js'
import { replyCode } from './faults.js'
import { pause } from './pause.js'

// How long a connection that is given up may still take for its answers.
const LAST_WORDS = 100

/** @param silence how long an answer may take, in milliseconds */
export function ioredisConnection (client: IoredisClient, silence: number): IoredisConnection {
  return new IoredisConnection(dedicated(client, silence))
}

export function ioredisClusterConnection (client: IoredisCluster, silence: number): IoredisConnection {
  return new IoredisConnection(dedicatedCluster(client, silence))
}

// What holds for every connection of ioredis, one of a Cluster too.
function options (silence: number): object {
  return {
    lazyConnect: true,
    // An answer that was lost is neither asked for again nor waited for (E41, E43): there is nothing left to send again.
    maxRetriesPerRequest: 0,
    // After a fail-over the address may lead to the master again; the command itself is not sent again.
    reconnectOnError: (error: Error) => replyCode(error) === 'READONLY',
    // Only what is waited for counts, so an idle connection stays (E44).
    socketTimeout: silence,
    connectTimeout: silence,
    disconnectTimeout: LAST_WORDS,
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

function dedicated (client: IoredisClient, silence: number): IoredisClient {
  return client.duplicate({ ...options(silence), enableOfflineQueue: false, retryStrategy: pause })
}

function dedicatedCluster (client: IoredisCluster, silence: number): IoredisCluster {
  return client.duplicate([], {
    lazyConnect: true,
    enableOfflineQueue: false,
    // Otherwise a Cluster sends again what a node did not answer, whatever its nodes are told (E43).
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    clusterRetryStrategy: pause,
    scaleReads: 'master',
    enableAutoPipelining: false,
    redisOptions: { ...client.options.redisOptions, ...options(silence) }
  })
}

class IoredisConnection {
  trouble: Error | undefined
  readonly #client: IoredisClient | IoredisCluster
  /** SELECT failed on this connection, so it is in another database than the one that was asked for. */
  #isElsewhere = false

  constructor (client: IoredisClient | IoredisCluster) {
    this.#client = client
    this.#client.on('connect', () => { this.#isElsewhere = false })
    this.#client.on('error', (error) => { this.#note(error) })
    // An outage that is over explains nothing about the next one.
    this.#client.on('ready', () => { this.trouble = undefined })
  }

  get isReady (): boolean {
    return this.#client.status === 'ready'
  }

  async open (): Promise<void> {
    await this.#client.connect()
    if (!('nodes' in this.#client)) return
    // A node that is connecting takes no commands, so the first ones must not be what connects it.
    await Promise.allSettled(
      this.#client.nodes('master').map(async (node) => {
        if (node.status === 'wait') await node.connect()
      })
    )
  }

  async send (_key: string, [name, ...args]: [string, ...string[]]): Promise<unknown> {
    return await this.#client.call(name, ...args)
  }

  // The driver does it, by socketTimeout and reconnectOnError.
  giveUp (): void {}

  close (): void {
    this.#client.disconnect()
  }

  #note (error: IoredisError): void {
    // What ending the connection leads to explains less.
    if (this.#isElsewhere) return
    // That all members failed says nothing; what one of them said does.
    this.trouble = error.lastNodeError ?? error
    // The driver would go on in database 0, which is somebody else's. Ended now, the connection is never ready.
    if (error.command?.name !== 'select') return
    this.#isElsewhere = true
    this.#client.disconnect(true)
  }
}

/** An error of ioredis, with the command that was refused, and that of the last member of a Cluster that was tried. */
interface IoredisError extends Error { command?: { name: string }, lastNodeError?: Error | null }
