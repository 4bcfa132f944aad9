/** A stream that can gather what is written to it. */
export interface Corkable { cork (): void, uncork (): void }

/** A `Redis` of ioredis, to one server or through Sentinel. */
export interface IoredisClient {
  readonly status: string
  readonly options: object
  /** The socket, while there is one. */
  readonly stream?: Corkable | undefined
  duplicate (override?: object): IoredisClient
  call (command: string, ...args: string[]): Promise<unknown>
  connect (): Promise<void>
  disconnect (reconnect?: boolean): void
  on (event: string, listener: (error: Error) => void): unknown
}

/** A `Cluster` of ioredis. */
export interface IoredisCluster {
  readonly isCluster: boolean
  readonly status: string
  readonly options: { readonly redisOptions?: object | undefined }
  duplicate (startupNodes?: never[], override?: object): IoredisCluster
  call (command: string, ...args: string[]): Promise<unknown>
  connect (): Promise<void>
  disconnect (reconnect?: boolean): void
  on (event: string, listener: (error: Error) => void): unknown
  nodes (role: 'master'): IoredisClient[]
}

/** A client of node-redis, as `createClient` makes it. */
export interface NodeRedisClient {
  readonly isReady: boolean
  readonly options: { readonly socket?: object | undefined }
  duplicate (override?: object): NodeRedisClient
  sendCommand (command: string[]): Promise<unknown>
  connect (): Promise<unknown>
  destroy (): void
  on (event: string, listener: (error: Error) => void): unknown
}

/** A client of node-redis for Cluster, as `createCluster` makes it. */
export interface NodeRedisCluster {
  readonly isReady: boolean
  readonly _options: { readonly defaults?: { readonly socket?: object | undefined } | undefined }
  readonly masters: ReadonlyArray<{ readonly client?: Pick<NodeRedisClient, 'destroy' | 'on'> | undefined }>
  duplicate (override?: object): NodeRedisCluster
  sendCommand (key: string | undefined, isReadonly: boolean | undefined, command: string[]): Promise<unknown>
  connect (): Promise<unknown>
  destroy (): void
  on (event: string, listener: (error: Error) => void): unknown
}

/** The clients from which the adapter can make a connection of its own. */
export type RedisClient = IoredisClient | IoredisCluster | NodeRedisClient | NodeRedisCluster
