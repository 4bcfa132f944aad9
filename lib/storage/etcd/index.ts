import { InvalidValueError, StorageUnavailableError } from '../../errors.js'
import type { Expectation, ListingAdapter, ReadOptions, Refused, Stored } from '../adapter.js'
import { assertNoContext } from '../kit/context.js'
import { checkKey, compareKeys } from '../kit/key.js'
import { pageLimit } from '../kit/page.js'
import { throwIfStopped } from '../kit/stop.js'
import { storedText } from '../kit/stored-json.js'
import { needsNoValue, withoutValue } from '../kit/unless.js'
import { newVersion } from '../kit/version.js'
import { writeThenRead } from '../kit/write-then-read.js'
import { checkEtcd } from './boot.js'
import { FOREIGN, sealed, unsealed } from './envelope.js'
import { EtcdGateway } from './gateway.js'
import { settingsOf, type EtcdAdapterOptions } from './options.js'
import { EtcdQueue } from './queue.js'
import { EtcdStore, type EtcdChange, type EtcdOutcome } from './store.js'
import { placeOf, replacedAt, versionAt } from './version.js'
import { deleteIf, placeIn, putIf, rangeFrom, rangeOf, textOf, type EtcdCondition, type EtcdKeyValue } from './wire.js'

export type { EtcdTls } from './endpoint.js'
export type { EtcdAuth } from './gateway.js'
export type { EtcdAdapterOptions } from './options.js'

type Applied = Extract<EtcdOutcome, { applied: true }>

/**
 * Keeps entities in etcd, for any number of processes on any number of machines: each write compares and acts in one
 * transaction, which a majority of the members has on disk before it is answered. Reads are linearizable.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options. `open` rejects with FST_IF_MATCH_INVALID_ADAPTER if no
 * endpoint answers, if the one that answers is too old, or if it does not let the user in. Every method rejects with
 * FST_IF_MATCH_STORAGE_UNAVAILABLE in an outage; `write` and `remove` with FST_IF_MATCH_OUTCOME_UNKNOWN if they may
 * have been applied all the same, and with FST_IF_MATCH_CONTENTION if one of several versions was expected and other
 * writers were in between 16 times; `write` with FST_IF_MATCH_INVALID_VALUE for a value that is too large
 * @example
 * const storage = etcdAdapter({ endpoints: ['https://etcd-1:2379', 'https://etcd-2:2379'], tls: { ca } })
 * await app.register(ifMatch, { storage })
 */
export function etcdAdapter<T = unknown> (options: EtcdAdapterOptions): ListingAdapter<T> {
  const settings = settingsOf(options)
  const { prefix, epoch, maxRequestBytes } = settings
  const gateway = new EtcdGateway(settings)
  const queue = new EtcdQueue(new EtcdStore(gateway, settings.timeout), settings)
  let isOpen = false

  // Ahead of everything that is sent.
  function assertMayStart (options: ReadOptions | undefined): void {
    assertNoContext('etcdAdapter', options)
    throwIfStopped(options)
    if (isOpen) return
    throw new StorageUnavailableError({
      cause: new Error('etcd: the adapter is in use before open() or after close(). The plugin calls both.')
    })
  }

  // The value comes along whatever the caller needs, because the digest is beside it (decision 0023).
  function storedIn (entry: EtcdKeyValue, options?: ReadOptions): Stored<T> {
    const { digest, json } = unsealed(textOf(entry.value!))
    const place = placeIn(entry)
    const facts = { version: versionAt(place, epoch), replaced: replacedAt(place, epoch), digest }
    return needsNoValue(options, facts.version) ? withoutValue(facts) : storedText(json, facts, FOREIGN)
  }

  async function read (key: string, options: ReadOptions | undefined): Promise<Stored<T> | undefined> {
    assertMayStart(options)
    const entry = await queue.find(rangeOf(prefix + key), options)
    return entry && storedIn(entry, options)
  }

  // One transaction compares with one place. Of several versions the first is tried; a refusal tells which one is
  // there, and if that one is expected, it is tried next (engine-facts#etcd-several-versions).
  function conditionOf (expectation: Expectation): EtcdCondition | undefined {
    switch (expectation.kind) {
      case 'version':
        return expectation.versions.map((version) => placeOf(version, epoch)).find((place) => place !== undefined)
      case 'exists':
        return 'present'
      case 'absent':
        return 'absent'
      case 'any':
        return 'none'
    }
  }

  // The answer to a transaction has the current entity of the same moment, so nothing needs to be read after a refusal.
  async function change (
    key: string,
    expectation: Expectation,
    options: ReadOptions | undefined,
    bytes: number,
    changeUnder: (condition: EtcdCondition) => EtcdChange
  ): Promise<Applied | Refused<T>> {
    let condition = conditionOf(expectation)
    let current: Stored<T> | undefined
    return await writeThenRead<T, Applied>(expectation, async () => {
      // etcd has given none of the expected versions, so none of them is sent.
      if (condition === undefined) {
        current = await read(key, options)
        return undefined
      }
      assertMayStart(options)
      const outcome = await queue.change(changeUnder(condition), bytes, options)
      if (outcome.applied) return outcome
      current = outcome.current && storedIn(outcome.current)
      condition = outcome.current && placeIn(outcome.current)
      return undefined
    }, async () => current)
  }

  return {
    async open () {
      await checkEtcd(gateway, prefix)
      isOpen = true
    },

    async close () {
      isOpen = false
      await queue.idle()
      gateway.close()
    },

    async read (key, options) {
      checkKey(key)
      return await read(key, options)
    },

    async write (key, value, expectation, options) {
      checkKey(key)
      const name = prefix + key
      const marker = newVersion()
      const text = sealed({ marker, digest: options?.digest, value })
      const bytes = bytesBeside(name) + Buffer.byteLength(text)
      if (bytes > maxRequestBytes) throw new InvalidValueError('it is larger than a request to etcd may be')
      const result = await change(key, expectation, options, bytes, (condition) => ({
        key: name, condition, marker, transaction: putIf(name, text, condition)
      }))
      if (!result.applied) return result
      return { applied: true, version: versionAt(result.place, epoch), created: result.place.writes === 1n }
    },

    async remove (key, expectation, options) {
      checkKey(key)
      const name = prefix + key
      const result = await change(key, expectation, options, bytesBeside(name), (condition) => ({
        key: name, condition, marker: undefined, transaction: deleteIf(name, condition)
      }))
      return result.applied ? { applied: true } : result
    },

    async list (keyPrefix, options = {}) {
      const limit = pageLimit(options.limit)
      const { after } = options
      // No key has U+0000, so the first key behind `after` is not before `after` and U+0000.
      const from = after === undefined || compareKeys(after, keyPrefix) < 0 ? keyPrefix : `${after}\0`
      assertMayStart(options)
      const { kvs = [], more = false } = await queue.list(rangeFrom(prefix + from, prefix + keyPrefix, limit))
      const items = kvs.map((entry) => Object.assign(storedIn(entry), { key: textOf(entry.key).slice(prefix.length) }))
      return { items, next: more ? items.at(-1)?.key : undefined }
    }
  }
}

// The bytes of a transaction beside the value: the key five times at most; numbers and lengths, generously.
function bytesBeside (name: string): number {
  return 5 * Buffer.byteLength(name) + 256
}
