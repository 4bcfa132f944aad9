import { assertNoFlaw, unknownOption } from '../kit/flaws.js'
import type { EtcdTls } from './endpoint.js'
import type { EtcdAuth } from './gateway.js'

/** Options of `etcdAdapter`. */
export interface EtcdAdapterOptions {
  /** One or several members, such as `'https://etcd-1:2379'`. The first one is asked until it fails. */
  endpoints: string | readonly string[]
  /** For `https:` endpoints, in PEM. */
  tls?: EtcdTls | undefined
  /** A user of etcd, and the password. */
  auth?: EtcdAuth | undefined
  /** The beginning of the keys in etcd (default `'entities/'`). Nothing else may write there. */
  prefix?: string | undefined
  /** How long one request may take, over all endpoints, in milliseconds (default 5,000). */
  timeout?: number | undefined
  /**
   * The `--max-request-bytes` of the servers (default 1,572,864, as theirs): a larger request is refused before it is
   * sent.
   */
  maxRequestBytes?: number | undefined
  /**
   * A word in every version (default none). Change it when the servers were restored from a snapshot, so that no
   * version comes back.
   */
  epoch?: string | undefined
}

/** The options, each with its value. */
export interface EtcdSettings {
  endpoints: readonly string[]
  tls: EtcdTls | undefined
  auth: EtcdAuth | undefined
  prefix: string
  timeout: number
  maxRequestBytes: number
  epoch: string
}

/** @throws FST_IF_MATCH_INVALID_OPTIONS, naming the option */
export function settingsOf (options: EtcdAdapterOptions): EtcdSettings {
  const given = Object(options) as EtcdAdapterOptions
  const { tls, auth, prefix = 'entities/', timeout = 5000, maxRequestBytes = 1_572_864, epoch = '' } = given
  const endpoints = ([given.endpoints].flat() as unknown[]).map(originOf)
  const settings = { endpoints, tls, auth, prefix, timeout, maxRequestBytes, epoch }
  const isSecure = endpoints.some((origin) => origin?.startsWith('https:'))
  assertNoFlaw('etcdAdapter', [
    [
      endpoints.length === 0 || endpoints.includes(undefined),
      '"endpoints" must be one or several URLs, such as "https://etcd-1:2379", without path and password.'
    ],
    [tls !== undefined && !isSecure, '"tls" needs endpoints that begin with https.'],
    [
      auth !== undefined && (!isText(auth?.user) || typeof auth.password !== 'string'),
      '"auth" must have a user and a password.'
    ],
    [
      !isText(prefix) || prefix.includes('\0') || !prefix.isWellFormed(),
      '"prefix" must be a text without NUL, and not empty.'
    ],
    [!isPositive(timeout), '"timeout" must be a number of milliseconds above 0.'],
    [!isPositive(maxRequestBytes), '"maxRequestBytes" must be a number above 0.'],
    [
      typeof epoch !== 'string' || !/^[\w-]{0,32}$/.test(epoch),
      '"epoch" must be at most 32 letters, digits, underscores and hyphens.'
    ],
    unknownOption(options, settings)
  ])
  return settings as EtcdSettings
}

function originOf (endpoint: unknown): string | undefined {
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined
  const { protocol, pathname, search, hash, username, password, origin } = new URL(endpoint)
  return /^https?:$/.test(protocol) && pathname + search + hash + username + password === '/' ? origin : undefined
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

// A longer timer would fire at once (engine-facts#node-timer-limit).
function isPositive (value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < 2 ** 31
}
