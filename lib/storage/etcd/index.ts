import { InvalidValueError, StorageUnavailableError } from '../../errors.js'
import type { Expectation, ListingAdapter, ReadOptions, RemoveResult, Stored, WriteResult } from '../adapter.js'
import { checkEtcd } from './boot.js'
import { sealed, unsealed } from './envelope.js'
import { EtcdGateway } from './gateway.js'
import { settingsOf, type EtcdAdapterOptions } from './options.js'
import { EtcdQueue } from './queue.js'
import { EtcdStore, type EtcdChange } from './store.js'
import { deleteIf, placeIn, putIf, rangeFrom, rangeOf, textOf, type EtcdCondition, type EtcdKeyValue } from './wire.js'
import { placeOf, replacedAt, versionAt, type EtcdPlace } from './version.js'
import { checkKey, compareKeys } from '../kit/key.js'
import { pageLimit } from '../kit/page.js'
import { throwIfStopped } from '../kit/stop.js'
import { newVersion } from '../kit/version.js'
import { writeThenRead } from '../kit/write-then-read.js'

export type { EtcdTls } from './endpoint.js'
export type { EtcdAuth } from './gateway.js'
export type { EtcdAdapterOptions } from './options.js'

// What a transaction of one key has besides the value: the key five times at most, and numbers and lengths, generously.
function bytesOf (key: string): number {
  return 5 * Buffer.byteLength(key) + 256
}

/**
 * Keeps entities in etcd, for any number of processes on any number of machines: each write compares and acts in one
 * transaction, which a majority of the members has on disk before it is answered. Reads are linearizable.
 *
 * @throws FST_IF_MATCH_INVALID_OPTIONS for wrong options; `open` rejects with FST_IF_MATCH_INVALID_ADAPTER where no
 * endpoint answers, or one that is too old, or does not let this user in. `write` rejects with FST_IF_MATCH_INVALID_VALUE
 * for a value that is too large, with FST_IF_MATCH_CONTENTION where one of several versions was expected and others
 * were in between 16 times, and, as every method, with FST_IF_MATCH_STORAGE_UNAVAILABLE; what changes something with
 * FST_IF_MATCH_OUTCOME_UNKNOWN, too
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

  function checkOpen (options: ReadOptions | undefined): void {
    throwIfStopped(options)
    if (!isOpen) {
      throw new StorageUnavailableError({
        cause: new Error('etcd: the adapter is in use before open() or after close(). The plugin calls both.')
      })
    }
  }

  function storedIn (entry: EtcdKeyValue): Stored<T> {
    const { digest, value } = unsealed<T>(textOf(entry.value!))
    const place = placeIn(entry)
    return { value, version: versionAt(place, epoch), replaced: replacedAt(place, epoch), digest }
  }

  async function read (key: string, options: ReadOptions | undefined): Promise<Stored<T> | undefined> {
    checkOpen(options)
    const entry = await queue.find(rangeOf(prefix + key), options)
    return entry && storedIn(entry)
  }

  // The answer to a transaction has what stood in the way, of the same moment: there is nothing to look at afterwards.
  async function change<A extends { applied: true }> (
    key: string,
    expectation: Expectation,
    options: ReadOptions | undefined,
    bytes: number,
    changeUnder: (condition: EtcdCondition) => EtcdChange,
    appliedAt: (place: EtcdPlace) => A
  ) {
    let condition = conditionOf(expectation)
    let current: Stored<T> | undefined
    return await writeThenRead<T, A>(
      expectation,
      async () => {
        if (condition === undefined) {
          current = await read(key, options)
          return undefined
        }
        checkOpen(options)
        const outcome = await queue.change(changeUnder(condition), bytes, options)
        if (outcome.applied) return appliedAt(outcome.place)
        current = outcome.current && storedIn(outcome.current)
        condition = outcome.current && placeIn(outcome.current)
        return undefined
      },
      async () => current
    )
  }

  // Of several versions the first is tried; a refusal says which of them it must be.
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

    async write (key, value, expectation, options): Promise<WriteResult<T>> {
      checkKey(key)
      const marker = newVersion()
      const text = sealed({ marker, digest: options?.digest, value })
      const bytes = bytesOf(prefix + key) + Buffer.byteLength(text)
      if (bytes > maxRequestBytes) throw new InvalidValueError('it is larger than a request to etcd may be')
      return await change(key, expectation, options, bytes,
        (condition) => ({ key: prefix + key, condition, marker, transaction: putIf(prefix + key, text, condition) }),
        (place) => ({ applied: true, version: versionAt(place, epoch), created: place.writes === 1n }))
    },

    async remove (key, expectation, options): Promise<RemoveResult<T>> {
      checkKey(key)
      return await change(
        key,
        expectation,
        options,
        bytesOf(prefix + key),
        (condition) => ({
          key: prefix + key,
          condition,
          marker: undefined,
          transaction: deleteIf(prefix + key, condition)
        }),
        () => ({ applied: true })
      )
    },

    async list (keyPrefix, options = {}) {
      const limit = pageLimit(options.limit)
      const { after } = options
      // U+0000 is in no key, so what follows `after` begins with it plus that.
      const from = after === undefined || compareKeys(after, keyPrefix) < 0 ? keyPrefix : `${after}\0`
      checkOpen(options)
      const { kvs = [], more = false } = await queue.list(rangeFrom(prefix + from, prefix + keyPrefix, limit))
      const items = kvs.map((entry) => ({ key: textOf(entry.key).slice(prefix.length), ...storedIn(entry) }))
      return { items, next: more ? items.at(-1)?.key : undefined }
    }
  }
}
