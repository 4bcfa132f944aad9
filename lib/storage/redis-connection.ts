import { setTimeout as delay } from 'node:timers/promises'
import { InvalidOptionsError } from '../errors.js'
import type { IoredisClient, IoredisCluster, NodeRedisClient, NodeRedisCluster, RedisClient } from './redis-client.js'
import { NotSentError, replyCode } from './redis-fault.js'

const FIRST_PAUSE = 50
const LONGEST_PAUSE = 1000

/** How often node-redis tries to reach a node of a Cluster before it says that it cannot. */
const NODE_ATTEMPTS = 3

// How long a connection that is given up may still take for its answers.
const LAST_WORDS = 100

/** A connection of the adapter's own, which sends nothing twice and nothing later (E41 to E43). */
export interface RedisConnection {
  /** Whether what is sent now goes out now. */
  readonly isReady: boolean
  /** What the driver said last about a connection that is not there. */
  readonly trouble: Error | undefined
  open (): Promise<void>
  /** @param key where in a Cluster it goes */
  send (key: string, command: string[]): Promise<unknown>
  /** It does not answer, or its server is not the master any more: a new one is needed. */
  giveUp (): void
  close (): void
}

/**
 * How to make a connection from the caller's client.
 *
 * @param silence how long an answer may take, in milliseconds
 * @throws FST_IF_MATCH_INVALID_OPTIONS for what is none of the four clients
 */
export function connector (client: RedisClient, silence: number): { isCluster: boolean, connect: () => RedisConnection } {
  const candidate = client as Partial<IoredisClient & IoredisCluster & NodeRedisClient & NodeRedisCluster> | undefined
  if (typeof candidate?.duplicate !== 'function') throw unusable()
  refuseKeyPrefix(candidate)
  if (candidate.isCluster === true) return { isCluster: true, connect: () => new IoredisConnection(() => ioredisCluster(client as IoredisCluster, silence)) }
  if (typeof candidate.call === 'function') return { isCluster: false, connect: () => new IoredisConnection(() => ioredis(client as IoredisClient, silence)) }
  if (typeof candidate.sendCommand !== 'function' || typeof candidate.isReady !== 'boolean') throw unusable()
  if (candidate._options !== undefined && candidate.masters !== undefined) {
    const cluster = client as NodeRedisCluster
    return { isCluster: true, connect: () => new NodeRedisConnection(() => nodeRedisCluster(cluster, silence), (own, key, command) => own.sendCommand(key, false, command)) }
  }
  if (candidate.options === undefined) throw unusable()
  const single = client as NodeRedisClient
  return { isCluster: false, connect: () => new NodeRedisConnection(() => nodeRedis(single, silence), (own, _key, command) => own.sendCommand(command)) }
}

function unusable (): Error {
  return new InvalidOptionsError('redisAdapter', '"client" must be a Redis or Cluster of ioredis, or what createClient or createCluster of node-redis gives.')
}

// Where one driver adds it to keys and the other does not, nobody could say where an entity is.
function refuseKeyPrefix (client: Partial<IoredisCluster & NodeRedisCluster>): void {
  const { options, _options } = client as { options?: object, _options?: object }
  for (const part of [options, _options, client.options?.redisOptions] as Array<{ keyPrefix?: unknown } | undefined>) {
    if (part?.keyPrefix) throw new InvalidOptionsError('redisAdapter', 'the client has a "keyPrefix". Pass one without it, and use the option "prefix".')
  }
}

function pause (attempt: number): number {
  return Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE) * (0.5 + Math.random() / 2)
}

// What holds for every connection of ioredis, one of a Cluster too.
function ioredisOptions (silence: number): object {
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

function ioredis (client: IoredisClient, silence: number): IoredisClient {
  return client.duplicate({ ...ioredisOptions(silence), enableOfflineQueue: false, retryStrategy: pause })
}

function ioredisCluster (client: IoredisCluster, silence: number): IoredisCluster {
  return client.duplicate([], {
    lazyConnect: true,
    enableOfflineQueue: false,
    // Otherwise a Cluster sends again what a node did not answer, whatever its nodes are told (E43).
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    clusterRetryStrategy: pause,
    scaleReads: 'master',
    enableAutoPipelining: false,
    redisOptions: { ...client.options.redisOptions, ...ioredisOptions(silence) }
  })
}

class IoredisConnection implements RedisConnection {
  trouble: Error | undefined
  readonly #client: IoredisClient | IoredisCluster
  /** SELECT failed on this connection, so it is in another database than the one that was asked for. */
  #isElsewhere = false

  constructor (make: () => IoredisClient | IoredisCluster) {
    this.#client = make()
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
    await Promise.allSettled(this.#client.nodes('master').map(async (node) => { if (node.status === 'wait') await node.connect() }))
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

// What holds for every connection of node-redis, one of a Cluster too.
function nodeRedisOptions (socket: object | undefined, silence: number, reconnectStrategy: (retries: number, cause: Error) => number | Error): object {
  return {
    // What is in flight is rejected by itself; this is for what is not sent yet (E42, E43).
    disableOfflineQueue: true,
    // What is asked has a bound of its own. This is for what a driver asks while it connects, which has none (E44); the ping
    // keeps a connection that nothing is asked of.
    socket: { ...socket, connectTimeout: silence, socketTimeout: 2 * silence, reconnectStrategy },
    pingInterval: silence,
    RESP: 2,
    readonly: false,
    clientSideCache: undefined,
    emitInvalidate: undefined,
    commandsQueueMaxLength: undefined,
    maintNotifications: 'disabled'
  }
}

function nodeRedis (client: NodeRedisClient, silence: number): NodeRedisClient {
  return client.duplicate({ ...nodeRedisOptions(client.options.socket, silence, pause), commandOptions: {} })
}

function nodeRedisCluster (client: NodeRedisCluster, silence: number): NodeRedisCluster {
  const { defaults } = client._options
  const reconnectStrategy = (retries: number, cause: Error) => retries < NODE_ATTEMPTS ? pause(retries) : new NotSentError(cause)
  return client.duplicate({
    RESP: 2,
    clientSideCache: undefined,
    commandOptions: {},
    useReplicas: false,
    // One that is away keeps the others from nothing, and none is left behind when the driver is closed while it looks around.
    minimizeConnections: true,
    defaults: { ...defaults, ...nodeRedisOptions(defaults?.socket, silence, reconnectStrategy) }
  })
}

/** node-redis has no way to end a connection and make it anew, so it is the client that is made anew. */
class NodeRedisConnection<C extends NodeRedisClient | NodeRedisCluster> implements RedisConnection {
  trouble: Error | undefined
  readonly #make
  readonly #send
  #client: C
  #isClosed = false

  constructor (make: () => C, send: (client: C, key: string, command: string[]) => Promise<unknown>) {
    this.#make = make
    this.#send = send
    this.#client = this.#made()
  }

  get isReady (): boolean {
    return this.#client.isReady
  }

  async open (): Promise<void> {
    await this.#client.connect()
  }

  async send (key: string, command: string[]): Promise<unknown> {
    return await this.#send(this.#client, key, command)
  }

  giveUp (): void {
    this.#client.destroy()
    if (!this.#isClosed) void this.#anew()
  }

  close (): void {
    this.#isClosed = true
    this.#client.destroy()
  }

  #made (): C {
    const client = this.#make()
    client.on('error', (error) => { this.trouble = error })
    client.on('ready', () => { this.trouble = undefined })
    return client
  }

  async #anew (): Promise<void> {
    const client = this.#client = this.#made()
    for (let attempt = 0; this.#client === client && !this.#isClosed; attempt++) {
      try {
        await client.connect()
        return
      } catch (error) {
        this.trouble = error as Error
        await delay(pause(attempt))
      }
    }
  }
}
