import { BlockList, isIP } from 'node:net'
import type { Limits } from '../app/limits.js'
import { DEVELOPMENT_TOKENS, includesDevelopmentToken, parseTokens, type Token } from '../app/tokens.js'
import { ENGINE_NAMES } from '../storage/index.js'
import { SettingError } from '../storage/setting-error.js'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** What the environment says about this server. */
export interface Settings {
  host: string
  port: number
  /** Its scheme names the engine: `sqlite:<file>`, `postgres://...`. */
  storage: string
  /** How many processes serve. */
  workers: number
  tokens: Token[]
  /** Whether publish, golive and cancel demand If-Match. */
  actionsIfMatch: 'required' | 'optional'
  /** How long a step of a publication takes, in milliseconds. */
  stepMs: number
  /** How long a client may take to end its request once the server stops, in milliseconds. */
  shutdownMs: number
  limits: Required<Omit<Limits, 'sampleMs'>>
  logLevel: typeof LOG_LEVELS[number]
  /** Where the page of metrics is served; undefined: nowhere. */
  metrics: { host: string, port: number } | undefined
}

const DEFAULTS = {
  HOST: '127.0.0.1',
  PORT: '3000',
  STORAGE: 'sqlite:data/offers.db',
  TOKENS: DEVELOPMENT_TOKENS,
  ACTIONS_IF_MATCH: 'required',
  STEP_MS: '5000',
  SHUTDOWN_MS: '5000',
  MAX_LOOP_DELAY_MS: '500',
  MAX_LOOP_PERCENT: '100',
  MAX_HEAP_PERCENT: '90',
  MAX_REQUESTS_PER_TOKEN: '100',
  MAX_CONNECTIONS: '1000',
  REQUEST_MS: '60000',
  ANSWER_MS: '60000',
  WORKERS: '1',
  LOG_LEVEL: 'info',
  METRICS_HOST: '127.0.0.1',
  METRICS_PORT: 'off'
}

/** The names of the settings. */
export const SETTING_NAMES = Object.keys(DEFAULTS)

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the settings, with defaults for those that are not there. An empty one counts as wrong, not as absent.
 *
 * @throws SettingError for the first that is wrong
 */
export function readSettings (env: Environment): Settings {
  const setting = (name: keyof typeof DEFAULTS): string => env[name] ?? DEFAULTS[name]
  const tokens = tokensOf(setting('TOKENS'))
  const storage = storageOf(setting('STORAGE'))
  const address = { host: hostOf(setting('HOST'), tokens), port: portOf('PORT', setting('PORT')) }
  return {
    ...address,
    storage,
    workers: workersOf(setting('WORKERS'), storage),
    tokens,
    actionsIfMatch: actionsIfMatchOf(setting('ACTIONS_IF_MATCH')),
    stepMs: msOf('STEP_MS', setting('STEP_MS')),
    shutdownMs: msOf('SHUTDOWN_MS', setting('SHUTDOWN_MS')),
    limits: {
      maxLoopDelayMs: delayOf(setting('MAX_LOOP_DELAY_MS')),
      maxLoopPercent: percentOf('MAX_LOOP_PERCENT', setting('MAX_LOOP_PERCENT')),
      maxHeapPercent: percentOf('MAX_HEAP_PERCENT', setting('MAX_HEAP_PERCENT')),
      maxRequestsPerToken: countOf('MAX_REQUESTS_PER_TOKEN', setting('MAX_REQUESTS_PER_TOKEN')),
      maxConnections: countOf('MAX_CONNECTIONS', setting('MAX_CONNECTIONS')),
      requestMs: msOf('REQUEST_MS', setting('REQUEST_MS')),
      answerMs: msOf('ANSWER_MS', setting('ANSWER_MS'))
    },
    logLevel: logLevelOf(setting('LOG_LEVEL')),
    metrics: metricsOf(setting('METRICS_HOST'), setting('METRICS_PORT'), address)
  }
}

function tokensOf (text: string): Token[] {
  try {
    return parseTokens(text)
  } catch (error) {
    throw new SettingError(
      'TOKENS',
      'accepts "token=publisher:role[+publisher:role...]" with a comma between tokens, where a role is owner or ' +
        `contributor: ${(error as RangeError).message}`
    )
  }
}

function hostOf (host: string, tokens: readonly Token[]): string {
  assertHost('HOST', host)
  if (!isLoopback(host) && includesDevelopmentToken(tokens)) {
    throw new SettingError(
      'HOST',
      'accepts 127.0.0.1, ::1 and localhost alone while the development tokens, which everybody knows, are in use: ' +
        'set TOKENS'
    )
  }
  return host
}

function assertHost (name: string, host: string): void {
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)) {
    throw new SettingError(name, 'accepts an IP address or a host name')
  }
}

// The page has no secrets, but it tells strangers how busy the server is: they are let in by METRICS_HOST alone.
function metricsOf (host: string, text: string, api: { host: string, port: number }): Settings['metrics'] {
  assertHost('METRICS_HOST', host)
  if (text === 'off') return undefined
  const port = portOf('METRICS_PORT', text, ', and off')
  const isShared = [host, '0.0.0.0', '::'].includes(api.host) || host === '0.0.0.0' || host === '::'
  if (port !== 0 && port === api.port && isShared) {
    throw new SettingError('METRICS_PORT', 'accepts another port than PORT names: metrics are apart from the API')
  }
  return { host, port }
}

function isLoopback (host: string): boolean {
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  return host === 'localhost' || (isIP(host) !== 0 && loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4'))
}

function portOf (name: string, text: string, others = ''): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new SettingError(name, `accepts a whole number from 0 to 65535, where 0 takes any free port${others}`)
}

function storageOf (text: string): string {
  const [scheme, ...rest] = text.split(':')
  if (ENGINE_NAMES.includes(scheme!) && rest.length > 0) return text
  throw new SettingError(
    'STORAGE',
    'accepts "sqlite:<file>", "postgres://...", "mysql://...", "mariadb://...", "redis://...", "etcd://...", and ' +
      '"memory:" for what may end with the process'
  )
}

function logLevelOf (text: string): Settings['logLevel'] {
  const level = LOG_LEVELS.find((level) => level === text)
  if (level === undefined) throw new SettingError('LOG_LEVEL', `accepts ${LOG_LEVELS.join(', ')}`)
  return level
}

function actionsIfMatchOf (text: string): Settings['actionsIfMatch'] {
  if (text === 'required' || text === 'optional') return text
  throw new SettingError(
    'ACTIONS_IF_MATCH',
    'accepts required, and optional for clients that send no If-Match with publish, golive and cancel'
  )
}

function msOf (name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new SettingError(name, 'accepts a whole number of milliseconds from 1 to 999999999')
}

function delayOf (text: string): number {
  // A delay as long as the time between two measurements is not told from a longer one.
  if (/^\d{1,3}$/.test(text)) return Number(text)
  throw new SettingError('MAX_LOOP_DELAY_MS', 'accepts whole milliseconds from 0 to 999, where 0 is no limit')
}

function percentOf (name: string, text: string): number {
  if (/^[1-9]\d?$|^100$/.test(text)) return Number(text)
  throw new SettingError(name, 'accepts a whole number of percent from 1 to 100, where 100 is no limit')
}

function countOf (name: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new SettingError(name, 'accepts a whole number from 1 to 999999')
}

function workersOf (text: string, storage: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new SettingError('WORKERS', 'accepts a whole number from 1 to 999')
  if (text !== '1' && storage === 'memory:') {
    throw new SettingError('WORKERS', 'accepts 1 alone with STORAGE=memory:, which no other process sees')
  }
  return Number(text)
}
