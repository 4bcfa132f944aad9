import { InvalidOptionsError } from '../../errors.js'
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
  /** What the keys begin with in etcd (default `'entities/'`). Nothing else may write there. */
  prefix?: string | undefined
  /** How long one request may take, over all endpoints, in milliseconds (default 5,000). */
  timeout?: number | undefined
  /** As `--max-request-bytes` of the servers is set (default 1,572,864, as theirs): what is larger is refused before it is sent. */
  maxRequestBytes?: number | undefined
  /** A word in every version. Change it when the servers were restored from a snapshot, and no version comes back. */
  epoch?: string | undefined
}

/** The same, each with its value. */
export interface EtcdSettings {
  endpoints: readonly string[]
  tls: EtcdTls | undefined
  auth: EtcdAuth | undefined
  prefix: string
  timeout: number
  maxRequestBytes: number
  epoch: string
}

/** @throws FST_IF_MATCH_INVALID_OPTIONS, naming the option. What an option says is in no message: it may be a secret. */
export function settingsOf (options: EtcdAdapterOptions): EtcdSettings {
  const {
    endpoints: given,
    tls,
    auth,
    prefix = 'entities/',
    timeout = 5000,
    maxRequestBytes = 1_572_864,
    epoch = ''
  } = options
  const endpoints = ([given].flat() as unknown[]).map(originOf)
  const isSecure = endpoints.some((origin) => origin?.startsWith('https:'))
  const flaws: Array<[boolean, string]> = [
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
    ]
  ]
  const flaw = flaws.find(([isWrong]) => isWrong)
  if (flaw !== undefined) throw new InvalidOptionsError('etcdAdapter', flaw[1])
  return { endpoints: endpoints as string[], tls, auth, prefix, timeout, maxRequestBytes, epoch }
}

function originOf (endpoint: unknown): string | undefined {
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined
  const { protocol, pathname, search, hash, username, password, origin } = new URL(endpoint)
  return /^https?:$/.test(protocol) && pathname + search + hash + username + password === '/' ? origin : undefined
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isPositive (value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < 2 ** 31
}
