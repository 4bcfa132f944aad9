import { setTimeout as delay } from 'node:timers/promises'
import type { NodeRedisClient, NodeRedisCluster } from './client.js'
import { NotSentError } from './faults.js'
import { pause } from './pause.js'

/** How often it tries to reach a node of a Cluster before it says that it cannot. */
const NODE_ATTEMPTS = 3

/** @param silence how long an answer may take, in milliseconds */
export function nodeRedisConnection (client: NodeRedisClient, silence: number): NodeRedisConnection<NodeRedisClient> {
  return new NodeRedisConnection(() => dedicated(client, silence), (own, _key, command) => own.sendCommand(command))
}

export function nodeRedisClusterConnection (
  client: NodeRedisCluster,
  silence: number
): NodeRedisConnection<NodeRedisCluster> {
  return new NodeRedisConnection(
    () => dedicatedCluster(client, silence),
    (own, key, command) => own.sendCommand(key, false, command)
  )
}

// What holds for every connection of node-redis, one of a Cluster too.
function options (
  socket: object | undefined,
  silence: number,
  reconnectStrategy: (retries: number, cause: Error) => number | Error
): object {
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

function dedicated (client: NodeRedisClient, silence: number): NodeRedisClient {
  return client.duplicate({ ...options(client.options.socket, silence, pause), commandOptions: {} })
}

function dedicatedCluster (client: NodeRedisCluster, silence: number): NodeRedisCluster {
  const { defaults } = client._options
  const reconnectStrategy = (retries: number, cause: Error) =>
    retries < NODE_ATTEMPTS ? pause(retries) : new NotSentError(cause)
  return client.duplicate({
    RESP: 2,
    clientSideCache: undefined,
    commandOptions: {},
    useReplicas: false,
    // One that is away keeps the others from nothing, and none is left behind when the driver is closed while it looks around.
    minimizeConnections: true,
    defaults: { ...defaults, ...options(defaults?.socket, silence, reconnectStrategy) }
  })
}

/** node-redis has no way to end a connection and make it anew, so it is the client that is made anew. */
class NodeRedisConnection<C extends NodeRedisClient | NodeRedisCluster> {
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
    end(this.#client)
    if (!this.#isClosed) void this.#anew()
  }

  close (): void {
    this.#isClosed = true
    end(this.#client)
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

// The driver finishes a connection that it is making when it is told to end, also those to the nodes of a Cluster.
function end (client: NodeRedisClient | NodeRedisCluster): void {
  const connections = 'masters' in client ? client.masters.flatMap(({ client }) => client ?? []) : [client]
  for (const connection of connections) connection.on('ready', () => { connection.destroy() })
  client.destroy()
}
