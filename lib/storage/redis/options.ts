import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import type { RedisClient } from './client.js'
import type { Wait } from './exchange.js'

/** Options of `redisAdapter`. */
export interface RedisAdapterOptions {
  /**
   * A client of ioredis (`Redis`, `Cluster`) or of node-redis (`createClient`, `createCluster`). The adapter makes a
   * connection of its own from it, with options under which nothing is sent twice, and closes only that connection. The
   * client need not be connected, and stays the caller's.
   */
  client: RedisClient
  /** The beginning of the names of all keys (default `'if-match:'`). */
  prefix?: string
  /**
   * `'collection'`: `list` takes a collection, that is a prefix which ends in a slash. In a Cluster a collection is
   * then kept in one slot, and by one server. Chosen once: entities that were written under the other setting would not
   * be found.
   */
  list?: false | 'collection'
  /**
   * How long to wait for an answer, in milliseconds (default 5,000). After a lost answer to a write the adapter looks
   * for the write for one more second.
   */
  timeout?: number
  /**
   * A write is acknowledged when so many replicas have it. If they do not within `timeout` milliseconds, the write
   * rejects with `FST_IF_MATCH_OUTCOME_UNKNOWN`. Not in a Cluster.
   */
  wait?: Wait
}

/** The options, each with its value. */
export interface RedisSettings extends Required<Omit<RedisAdapterOptions, 'wait'>> { wait: Wait | undefined }

/** @throws FST_IF_MATCH_INVALID_OPTIONS, naming the option */
export function settingsOf (options: RedisAdapterOptions): RedisSettings {
  const { client, prefix = 'if-match:', list = false, timeout = 5000, wait } = Object(options) as RedisAdapterOptions
  const settings = { client, prefix, list, timeout, wait }
  assertNoFlaw('redisAdapter', [
    [
      typeof prefix !== 'string' || !prefix.isWellFormed() || /[{}]/.test(prefix),
      '"prefix" must be a text without braces, which would put all entities into one slot of a Cluster.'
    ],
    [list !== false && list !== 'collection', '"list" must be false or "collection".'],
    [!isDuration(timeout), '"timeout" must be a number of milliseconds, 1 or more.'],
    [
      wait !== undefined && !isWait(wait),
      '"wait" must have "replicas", 1 or more, and "timeout", whole milliseconds, 1 or more.'
    ],
    unknownOption(options, settings)
  ])
  return settings
}

function isWait (wait: unknown): boolean {
  const { replicas, timeout } = Object(wait) as Partial<Wait>
  return Number.isInteger(replicas) && replicas! > 0 && Number.isInteger(timeout) && isDuration(timeout)
}

// A longer timer would fire at once (engine-facts#node-timer-limit).
function isDuration (milliseconds: unknown): boolean {
  return typeof milliseconds === 'number' && milliseconds >= 1 && milliseconds < 2 ** 31
}
