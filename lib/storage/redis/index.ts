import { InvalidValueError, isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import type { ListingAdapter, ReadOptions, StorageAdapter } from '../adapter.js'
import { assertNoContext } from '../kit/context.js'
import { within } from '../kit/deadline.js'
import { assertNoFlaw } from '../kit/flaws.js'
import { jsonText } from '../kit/json.js'
import { checkKey } from '../kit/key.js'
import { provenApplied } from '../kit/lost-answer.js'
import { throwIfStopped } from '../kit/stop.js'
import { newVersion } from '../kit/version.js'
import { bootError, checkServer } from './boot.js'
import { connector } from './connect.js'
import type { RedisConnection } from './connection.js'
import { RedisExchange } from './exchange.js'
import { replyCode } from './faults.js'
import { redisNames } from './keys.js'
import { settingsOf, type RedisAdapterOptions } from './options.js'
import { RedisStore } from './store.js'

export type { IoredisClient, IoredisCluster, NodeRedisClient, NodeRedisCluster, RedisClient } from './client.js'
export type { RedisAdapterOptions } from './options.js'

/**
 * Keeps entities in Redis 6.2 or later, or in a server that speaks its protocol, for any number of processes: a hash
 * for each entity, and one script that compares and writes. The page of the adapter (docs/reference/adapters/redis.md)
 * says what asynchronous replication can lose.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options; `open` rejects with FST_IF_MATCH_INVALID_ADAPTER for a server
 * that it cannot reach or use
 * @example
 * import { Redis } from 'ioredis'
 *
 * const client = new Redis('redis://127.0.0.1', { lazyConnect: true })
 * await app.register(ifMatch, { storage: redisAdapter({ client }) })
 */
export function redisAdapter<T = unknown> (options: RedisAdapterOptions & { list: 'collection' }): ListingAdapter<T>
export function redisAdapter<T = unknown> (options: RedisAdapterOptions): StorageAdapter<T>
export function redisAdapter<T = unknown> (options: RedisAdapterOptions): StorageAdapter<T> {
  const { client, prefix, list, wait, ...settings } = settingsOf(options)
  // The answer to WAIT takes as long as WAIT may wait.
  const timeout = settings.timeout + (wait?.timeout ?? 0)
  const { isCluster, connect } = connector(client, timeout)
  assertNoFlaw('redisAdapter', [
    [isCluster && wait !== undefined, '"wait" is not possible in a Cluster. Use min-replicas-to-write there.']
  ])
  const names = redisNames(prefix, list)
  let connections: RedisConnection[] = []
  let store: RedisStore<T> | undefined
  let largestValue = Infinity

  function opened (): RedisStore<T> {
    if (store !== undefined) return store
    throw new StorageUnavailableError({
      cause: new Error('the adapter is in use before open() or after close(). The plugin calls both.')
    })
  }

  function assertMayStart (options: ReadOptions | undefined): void {
    assertNoContext('redisAdapter', options)
    throwIfStopped(options)
  }

  function close (): void {
    for (const connection of connections) connection.close()
    connections = []
    store = undefined
  }

  const adapter: StorageAdapter<T> = {
    async open () {
      try {
        connections.push(connect())
        // WAIT holds up all that is behind it on its connection, so reads have another one.
        if (wait !== undefined) connections.push(connect())
        const opening = Promise.all(connections.map(async (connection) => { await connection.open() }))
        await within(timeout, opening, () => new Error(`there was no connection within ${timeout} ms.`))
        const reads = new RedisExchange(connections.at(-1)!, timeout)
        largestValue = await checkServer(reads, names)
        store = new RedisStore(new RedisExchange(connections[0]!, timeout, wait), reads, names)
      } catch (error) {
        const trouble = connections.find((connection) => connection.trouble !== undefined)?.trouble
        close()
        if (isIfMatchError(error)) throw error
        // Unless the server has answered, what the driver noted explains more than the call that failed.
        throw bootError(replyCode(error) === undefined ? trouble ?? error : error)
      }
    },

    async close () {
      close()
    },

    async read (key, options) {
      checkKey(key)
      assertMayStart(options)
      return await opened().read(key, options)
    },

    async write (key, value, expectation, options) {
      checkKey(key)
      const json = jsonText(value)
      if (Buffer.byteLength(json) > largestValue) {
        throw new InvalidValueError(`it is larger than the ${largestValue} bytes that the Redis server takes`)
      }
      assertMayStart(options)
      const version = newVersion()
      try {
        const result = await opened().change(key, expectation, { version, json, digest: options?.digest })
        return result.applied ? { ...result, version } : result
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError)) throw error
        return await provenApplied(version, expectation, async () => await opened().lookFor(key), error.cause)
      }
    },

    async remove (key, expectation, options) {
      checkKey(key)
      assertMayStart(options)
      const result = await opened().change(key, expectation)
      return result.applied ? { applied: true } : result
    }
  }

  if (list === false) return adapter

  return {
    ...adapter,
    async list (prefix, options = {}) {
      assertMayStart(options)
      return await opened().list(prefix, options)
    }
  }
}
