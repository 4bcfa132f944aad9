import { setTimeout as delay } from 'node:timers/promises'
import type { NodeRedisClient, NodeRedisCluster } from './client.js'
import { reconnectPause, type RedisConnection } from './connection.js'
import { NotSentError } from './faults.js'

/** How often the driver tries to reach a node of a Cluster before it gives up. */
const NODE_ATTEMPTS = 3

/** @param timeout how long an answer may take, in milliseconds */
export function nodeRedisConnection (client: NodeRedisClient, timeout: number): RedisConnection {
  const options = { ...optionsFor(client.options.socket, timeout, reconnectPause), commandOptions: {} }
  return new NodeRedisConnection(
    () => client.duplicate(options),
    (own, _key, command) => own.sendCommand(command)
  )
}

/** @param timeout how long an answer may take, in milliseconds */
export function nodeRedisClusterConnection (client: NodeRedisCluster, timeout: number): RedisConnection {
  const { defaults } = client._options
  const options = {
    RESP: 2,
    clientSideCache: undefined,
    commandOptions: {},
    useReplicas: false,
    // A node that is away holds up no other, and none stays connected after a close
    // (engine-facts#node-redis-minimize-connections).
    minimizeConnections: true,
    defaults: { ...defaults, ...optionsFor(defaults?.socket, timeout, nodeReconnectStrategy) }
  }
  return new NodeRedisConnection(
    () => client.duplicate(options),
    (own, key, command) => own.sendCommand(key, false, command)
  )
}

type ReconnectStrategy = (retries: number, cause: Error) => number | Error

function nodeReconnectStrategy (retries: number, cause: Error): number | Error {
  return retries < NODE_ATTEMPTS ? reconnectPause(retries) : new NotSentError(cause)
}

// The options of a connection to one server, and of those to the nodes of a Cluster.
function optionsFor (socket: object | undefined, timeout: number, reconnectStrategy: ReconnectStrategy): object {
  return {
    // Without a connection a command is refused, not kept (engine-facts#node-redis-offline-queue).
    disableOfflineQueue: true,
    // Each answer has a bound in RedisExchange. socketTimeout bounds what the driver asks while it connects, and the
    // ping keeps it from ending an idle connection (engine-facts#node-redis-half-open).
    socket: { ...socket, connectTimeout: timeout, socketTimeout: 2 * timeout, reconnectStrategy },
    pingInterval: timeout,
    RESP: 2,
    readonly: false,
    clientSideCache: undefined,
    emitInvalidate: undefined,
    commandsQueueMaxLength: undefined,
    maintNotifications: 'disabled'
  }
}

/** Reconnects by making a new client: a client of node-redis cannot (engine-facts#node-redis-no-reconnect). */
class NodeRedisConnection<C extends NodeRedisClient | NodeRedisCluster> implements RedisConnection {
  trouble: Error | undefined
  readonly #makeClient
  readonly #send
  #client: C
  #isClosed = false

  constructor (makeClient: () => C, send: (client: C, key: string, command: string[]) => Promise<unknown>) {
    this.#makeClient = makeClient
    this.#send = send
    this.#client = this.#newClient()
  }

  get isReady (): boolean {
    return this.#client.isReady
  }

  async open (): Promise<void> {
    await this.#client.connect()
  }

  send (key: string, command: string[]): Promise<unknown> {
    return this.#send(this.#client, key, command)
  }

  giveUp (): void {
    end(this.#client)
    if (!this.#isClosed) void this.#reconnect()
  }

  close (): void {
    this.#isClosed = true
    end(this.#client)
  }

  #newClient (): C {
    const client = this.#makeClient()
    client.on('error', (error) => { this.trouble = error })
    client.on('ready', () => { this.trouble = undefined })
    return client
  }

  async #reconnect (): Promise<void> {
    const client = this.#client = this.#newClient()
    for (let attempt = 0; this.#client === client && !this.#isClosed; attempt++) {
      try {
        await client.connect()
        return
      } catch (error) {
        this.trouble = error as Error
        await delay(reconnectPause(attempt))
      }
    }
  }
}

// destroy() alone leaves a connection that is being made (engine-facts#node-redis-destroy-while-connecting).
function end (client: NodeRedisClient | NodeRedisCluster): void {
  const connections = 'masters' in client ? client.masters.flatMap(({ client }) => client ?? []) : [client]
  for (const connection of connections) connection.on('ready', () => { connection.destroy() })
  client.destroy()
}
