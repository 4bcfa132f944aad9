import { InvalidAdapterError } from '../../errors.js'
import { warn } from '../kit/warn.js'
import type { RedisExchange } from './exchange.js'
import { explain, replyCode } from './faults.js'
import type { RedisNames } from './keys.js'

/** How the boot asks the server. */
export type Asking = Pick<RedisExchange, 'ask' | 'change'>

/** The longest value that Redis takes by default, in bytes. */
const LARGEST_VALUE = 512 * 1024 * 1024

const OLDEST: readonly [major: number, minor: number] = [6, 2]

// A server may refuse with these now and take the same command later, so they show no missing right.
const PASSING = ['OOM', 'MISCONF', 'NOREPLICAS', 'BUSY', 'CLUSTERDOWN']

// Managed services forbid some commands to everybody, or do not know them (engine-facts#redis-config-forbidden).
const FORBIDDEN = ['NOPERM', 'ERR']

/**
 * Refuses a server on which the storage contract cannot be kept.
 *
 * @returns the bytes that one value may have
 * @throws FST_IF_MATCH_INVALID_ADAPTER
 */
export async function checkServer (asking: Asking, names: RedisNames): Promise<number> {
  const [probe] = names.probe
  await asking.ask(probe, ['PING'])
  await assertVersion(asking, probe)
  await assertRights(asking, names)
  await assertLayout(asking, names)
  await warnOfEviction(asking, probe)
  return Number(await configured(asking, probe, 'proto-max-bulk-len') ?? LARGEST_VALUE)
}

async function assertVersion (asking: Asking, probe: string): Promise<void> {
  const info = await asking.ask(probe, ['INFO', 'server']).catch(undefinedFor(FORBIDDEN))
  const [, version, major, minor] = /^redis_version:((\d+)\.(\d+)\S*)/m.exec(String(info)) ?? []
  if (version === undefined) return
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1])
  if (isOld) throw unusable(`it is version ${version}, and the adapter needs ${OLDEST.join('.')} or later.`)
}

// Writes and removes an entity that nobody reads: a missing right, or a replica, shows at boot and not in a request.
async function assertRights (asking: Asking, { probe: [entity, index] }: RedisNames): Promise<void> {
  const removal = { entity, index, key: 'probe', expectation: { kind: 'any' } } as const
  const write = { version: 'probe', json: 'null', digest: undefined }
  await asking.change({ ...removal, write }).catch(undefinedFor(PASSING))
  await asking.change(removal).catch(undefinedFor(PASSING))
}

async function assertLayout (asking: Asking, { marker, layout }: RedisNames): Promise<void> {
  await asking.ask(marker, ['SETNX', marker, layout]).catch(undefinedFor(PASSING))
  const found = await asking.ask(marker, ['GET', marker])
  if (found === null || found === layout) return
  const list = found === 'entity' ? 'false' : `"${String(found)}"`
  throw unusable(
    `the entities under this prefix were written with "list" set to ${list}. ` +
    'Set it so, or use another prefix: none of them would be found.'
  )
}

// `If-None-Match: *` would create an evicted entity anew (engine-facts#redis-eviction).
async function warnOfEviction (asking: Asking, probe: string): Promise<void> {
  const policy = await configured(asking, probe, 'maxmemory-policy')
  if (policy === 'noeviction') return
  if (policy === undefined) {
    warn(
      'FST_IF_MATCH_REDIS_EVICTION_UNCHECKED',
      'The Redis server does not say what its maxmemory-policy is. ' +
      'Check that it is noeviction: an entity that is evicted reads as absent.'
    )
  } else {
    warn(
      'FST_IF_MATCH_REDIS_EVICTION',
      `The Redis server has the maxmemory-policy ${policy}. ` +
      'Set it to noeviction: an entity that is evicted reads as absent.'
    )
  }
}

async function configured (asking: Asking, probe: string, name: string): Promise<string | undefined> {
  const found = await asking.ask(probe, ['CONFIG', 'GET', name]).catch(undefinedFor(FORBIDDEN)) as string[] | undefined
  return found?.[1]
}

function undefinedFor (codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(replyCode(error) ?? '')) throw error
  }
}

function unusable (why: string): Error {
  return new InvalidAdapterError(`cannot use this Redis server: ${why}`)
}

/** The error for a boot that failed, with the reason for the log. */
export function bootError (error: unknown): Error {
  return new InvalidAdapterError(`cannot use this Redis server. ${explain(error).message}`)
}
