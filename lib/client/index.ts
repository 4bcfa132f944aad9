/**
 * A client for entities that are guarded by `If-Match`, over `fetch`: browsers, Node.js, Bun, Deno, edge runtimes. It
 * imports nothing of the rest of the package. Why it does what it does is decision 0025.
 */
import { attempts } from './attempts.js'
import type { Call } from './exchange.js'
import { read } from './read.js'
import type { Change } from './submit.js'
import type {
  ApplyOptions, CallOptions, ClientOptions, Current, Mutate, ReadOptions, RemoveOptions, UpdateOptions, WriteOptions,
  Written
} from './types.js'
import { update } from './update.js'
import { matching, putOf, write } from './write.js'

export { ConflictError, MissingTagError, OutcomeUnknownError, RequestError, type Seen } from './errors.js'
export { sameJson } from './json.js'
export type {
  ApplyOptions, CallOptions, ClientOptions, Conflict, Current, Fetch, FetchInit, HeaderSource, IsApplied, Mutate,
  Outcome, Patience, ReadOptions, RemoveOptions, Strategy, UpdateOptions, WriteOptions, Written
} from './types.js'

/** Where an entity is. A relative address works where the `fetch` takes one. */
export type Address = string | URL

/**
 * What a client can do. Each call rejects with a `RequestError`: a `ConflictError` if somebody else was faster, an
 * `OutcomeUnknownError` if nobody can tell whether a write was applied.
 */
export interface Client {
  /**
   * GET: what is stored, past the HTTP cache, and its tag. An answer without `ETag` is a `MissingTagError`. With
   * `known` it asks whether that still is current.
   */
  read: <T>(url: Address, options?: ReadOptions<T>) => Promise<Current<T>>
  /**
   * PUT under the tag that was read, or with `overwrite: true` over whatever is there. If the value is there already,
   * it is `found`, whoever wrote it.
   */
  write: <T>(url: Address, value: T, options: WriteOptions<T>) => Promise<Written<T>>
  /** PUT with `If-None-Match: *`: a `ConflictError` if the entity exists with another value. */
  create: <T>(url: Address, value: T, options?: ApplyOptions<T>) => Promise<Written<T>>
  /** DELETE under the tag that was read, or with `overwrite: true` of whatever is there. */
  remove: (url: Address, options: RemoveOptions) => Promise<Pick<Written<undefined>, 'outcome'>>
  /**
   * GET, `mutate`, PUT under the tag; after a conflict again, up to `retries` times. `mutate` may run more than once,
   * and may change what it is given. If nothing is different after it, nothing is sent.
   */
  update: <T>(url: Address, mutate: Mutate<T>, options?: UpdateOptions<T>) => Promise<Written<T>>
}

const ABSENT = { 'if-none-match': '*' }

/** Makes a client. Its options hold for every call; those of a call come first. */
export function createClient (client: ClientOptions = {}): Client {
  // The headers of a call are its own: those of the client come from `client`, each time anew.
  const callOf = <O extends CallOptions>(options: O): O & Call =>
    ({ ...client, headers: undefined, ...options, client })
  const sendOnce = <T>(options: CallOptions, change: Change<T>) =>
    write(callOf(options), change) as Promise<Written<T>>
  return {
    async read<T> (url: Address, options: ReadOptions<T> = {}) {
      const call = callOf(options)
      return await read<T>(call, String(url), attempts(call), options.known)
    },
    write: async <T>(url: Address, value: T, options: WriteOptions<T>) =>
      await sendOnce(options, putOf(String(url), value, matching(options), options.isApplied ?? 'equal')),
    create: async <T>(url: Address, value: T, options: ApplyOptions<T> = {}) =>
      await sendOnce(options, putOf(String(url), value, ABSENT, options.isApplied ?? 'equal')),
    async remove (url: Address, options: RemoveOptions) {
      const { outcome } = await sendOnce<undefined>(options, {
        method: 'DELETE',
        url: String(url),
        headers: matching(options),
        sent: undefined,
        isApplied: (current) => !current || undefined
      })
      return { outcome }
    },
    update: async <T>(url: Address, mutate: Mutate<T>, options: UpdateOptions<T> = {}) =>
      await update<T>(callOf(options), String(url), mutate)
  }
}
