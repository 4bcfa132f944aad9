import { setTimeout as delay } from 'node:timers/promises'
import {
  InvalidOptionsError,
  InvalidValueError,
  isIfMatchError,
  OutcomeUnknownError,
  StorageUnavailableError
} from '../../errors.js'
import type { Expectation, ListingAdapter, ReadOptions, Refused, StorageAdapter, Stored } from '../adapter.js'
import { jsonText } from '../kit/json.js'
import { checkKey, compareKeys } from '../kit/key.js'
import { provenApplied } from '../kit/lost-answer.js'
import { pageLimit } from '../kit/page.js'
import type { RedisClient } from './client.js'
import { connector, type RedisConnection } from './connect.js'
import { FIELDS, storedOf } from './entity.js'
import { RedisExchange, type Wait } from './exchange.js'
import { explain, faultOf, replyCode } from './faults.js'
import { collectionOf, redisNames } from './keys.js'
import type { Change } from './script.js'
import { checkServer, refusal } from './boot.js'
import { throwIfStopped } from '../kit/stop.js'
import { newVersion } from '../kit/version.js'
import { within } from '../kit/deadline.js'

export type { IoredisClient, IoredisCluster, NodeRedisClient, NodeRedisCluster, RedisClient } from './client.js'

/** How long the proof of a write is looked for after its answer was lost: a connection is back sooner, if it comes back. */
const PROOF = 1000
const PROOF_PAUSE = 25

/** Options of `redisAdapter`. */
export interface RedisAdapterOptions {
  /**
   * A client of ioredis (`Redis`, `Cluster`) or of node-redis (`createClient`, `createCluster`). The adapter makes a
   * connection of its own from it, with options under which nothing is sent twice, and closes that one; the client itself
   * need not be connected, and stays the caller's.
   */
  client: RedisClient
  /** What the names of all keys begin with (default `'if-match:'`). */
  prefix?: string
  /**
   * `'collection'`: `list` takes a collection, that is a prefix which ends in a slash. In a Cluster a collection is then
   * kept in one slot, and by one server. Chosen once: entities that were written under the other setting would not be found.
   */
  list?: false | 'collection'
  /** How long an answer is waited for, in milliseconds (default 5,000). After a lost one, a second more to find a proof. */
  timeout?: number
  /**
   * A write is acknowledged when so many replicas have it; where they do not within `timeout` milliseconds, it is
   * `FST_IF_MATCH_OUTCOME_UNKNOWN`. Not in a Cluster.
   */
  wait?: Wait
}

/**
 * Keeps entities in Redis 6.2 or later, or in what speaks its language, for any number of processes: a hash for each, and
 * one script that compares and writes. What may be lost by asynchronous replication, the page of the adapter says.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options; `open` rejects with FST_IF_MATCH_INVALID_ADAPTER for a server that
 * it cannot reach or use
 * @example
 * import { Redis } from 'ioredis'
 *
 * const client = new Redis('redis://127.0.0.1', { lazyConnect: true })
 * await app.register(ifMatch, { storage: redisAdapter({ client }) })
 */
export function redisAdapter<T = unknown> (options: RedisAdapterOptions & { list: 'collection' }): ListingAdapter<T>
export function redisAdapter<T = unknown> (options: RedisAdapterOptions): StorageAdapter<T>
export function redisAdapter<T = unknown> (options: RedisAdapterOptions): StorageAdapter<T> {
  const { client, prefix, list, timeout, wait } = checked(options)
  const patience = timeout + (wait?.timeout ?? 0)
  const { isCluster, connect } = connector(client, patience)
  if (isCluster && wait !== undefined) {
    throw new InvalidOptionsError(
      'redisAdapter',
      '"wait" is not possible in a Cluster. Use min-replicas-to-write there.'
    )
  }
  const names = redisNames(prefix, list)
  let connections: RedisConnection[] = []
  let writes: RedisExchange | undefined
  let reads: RedisExchange | undefined
  let largestValue = Infinity

  function opened (exchange: RedisExchange | undefined): RedisExchange {
    if (exchange === undefined) {
      throw new StorageUnavailableError({
        cause: new Error('the adapter is in use before open() or after close(). The plugin calls both.')
      })
    }
    return exchange
  }

  async function look (
    key: string,
    ask: (entity: string, command: string[]) => Promise<unknown>
  ): Promise<Stored<T> | undefined> {
    const entity = names.entity(key)
    return storedOf<T>((await ask(entity, ['HMGET', entity, ...FIELDS])) as Array<string | null>)
  }

  async function change (
    key: string,
    expectation: Expectation,
    options: ReadOptions | undefined,
    write?: Change['write']
  ): Promise<{ applied: true, created: boolean } | Refused<T>> {
    throwIfStopped(options)
    try {
      const [done, ...fields] = await opened(writes).change({
        entity: names.entity(key),
        index: names.index(key),
        key,
        expectation,
        write
      })
      return done === 1
        ? { applied: true, created: fields[0] === '' }
        : { applied: false, current: storedOf<T>(fields) }
    } catch (error) {
      throw faultOf(error)
    }
  }

  // The connection that lost the answer has to come back first. What is read with the write must be confirmed as the write is.
  async function lookForProof (key: string): Promise<Stored<T> | undefined> {
    const exchange = opened(writes)
    for (const until = performance.now() + PROOF; ;) {
      try {
        return await look(key, (entity, command) => exchange.askConfirmed(entity, command))
      } catch (error) {
        if (performance.now() > until) throw error
        await delay(PROOF_PAUSE)
      }
    }
  }

  function close (): void {
    for (const connection of connections) connection.close()
    connections = []
    writes = reads = undefined
  }

  const adapter: StorageAdapter<T> = {
    async open () {
      try {
        connections.push(connect())
        // WAIT holds up all that is behind it on its connection, so reads have another one.
        if (wait !== undefined) connections.push(connect())
        await within(
          patience,
          Promise.all(connections.map(async (connection) => await connection.open())),
          () => new Error(`there was no connection within ${patience} ms.`)
        )
        const [first, last] = [connections[0]!, connections.at(-1)!]
        writes = new RedisExchange(first, patience, wait)
        reads = new RedisExchange(last, patience)
        largestValue = await checkServer(reads, names)
      } catch (error) {
        const trouble = connections.find((connection) => connection.trouble !== undefined)?.trouble
        close()
        throw isIfMatchError(error) ? error : refusal(replyCode(error) === undefined ? trouble ?? error : error)
      }
    },

    async close () {
      close()
    },

    async read (key, options) {
      checkKey(key)
      throwIfStopped(options)
      const exchange = opened(reads)
      return await reading(look(key, (entity, command) => exchange.ask(entity, command)))
    },

    async write (key, value, expectation, options) {
      checkKey(key)
      const json = jsonText(value)
      if (Buffer.byteLength(json) > largestValue) { throw new InvalidValueError(`it is larger than the ${largestValue} bytes that the Redis server takes`) }
      const version = newVersion()
      try {
        const result = await change(key, expectation, options, { version, json, digest: options?.digest })
        return result.applied ? { ...result, version } : result
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError)) throw error
        return await provenApplied(
          version,
          expectation,
          async () => await within(PROOF, lookForProof(key), () => new Error('not in time')),
          error.cause
        )
      }
    },

    async remove (key, expectation, options) {
      checkKey(key)
      const result = await change(key, expectation, options)
      return result.applied ? { applied: true } : result
    }
  }

  if (list === false) return adapter

  return {
    ...adapter,
    async list (prefix, options = {}) {
      const limit = pageLimit(options.limit)
      throwIfStopped(options)
      const index = names.index(prefix)
      if (index === undefined || collectionOf(prefix) !== prefix) { throw new RangeError('prefix must be a whole collection, that is end in a slash') }
      const { after } = options
      const from = after === undefined || compareKeys(after, prefix) < 0 ? '-' : `(${after}`
      const exchange = opened(reads)
      return await reading((async () => {
        const found = (await exchange.ask(index, [
          'ZRANGEBYLEX',
          index,
          from,
          '+',
          'LIMIT',
          '0',
          String(limit + 1)
        ])) as string[]
        const keys = found.slice(0, limit)
        const stored = await Promise.all(
          keys.map((key) => look(key, (entity, command) => exchange.ask(entity, command)))
        )
        // What was removed since is not there.
        const items = keys.flatMap((key, at) => stored[at] === undefined ? [] : [{ key, ...stored[at] }])
        return { items, next: found.length > limit ? keys.at(-1) : undefined }
      })())
    }
  }
}

// A read that failed changed nothing, whatever became of it.
async function reading<R> (promise: Promise<R>): Promise<R> {
  try {
    return await promise
  } catch (error) {
    throw isIfMatchError(error) ? error : new StorageUnavailableError({ cause: explain(error) })
  }
}

function checked ({
  client,
  prefix = 'if-match:',
  list = false,
  timeout = 5000,
  wait
}: RedisAdapterOptions): Required<Omit<RedisAdapterOptions, 'wait'>> & { wait: Wait | undefined } {
  const flaw =
    typeof prefix !== 'string' || !prefix.isWellFormed() || /[{}]/.test(prefix)
      ? '"prefix" must be a text without braces, which would put all entities into one slot of a Cluster.'
      : list !== false && list !== 'collection'
        ? '"list" must be false or "collection".'
        : !isDuration(timeout)
            ? '"timeout" must be a number of milliseconds, 1 or more.'
            : wait !== undefined &&
              !(
                Number.isInteger(wait?.replicas) &&
                wait.replicas > 0 &&
                Number.isInteger(wait.timeout) &&
                isDuration(wait.timeout)
              )
              ? '"wait" must have "replicas", 1 or more, and "timeout", whole milliseconds, 1 or more.'
              : undefined
  if (flaw !== undefined) throw new InvalidOptionsError('redisAdapter', flaw)
  return { client, prefix, list, timeout, wait }
}

// Longer ones than a timer of Node can have would be over at once.
function isDuration (milliseconds: unknown): boolean {
  return typeof milliseconds === 'number' && milliseconds >= 1 && milliseconds < 2 ** 31
}
