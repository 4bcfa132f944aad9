import { InvalidAdapterError } from '../../errors.js'
import { explain, replyCode } from './faults.js'
import type { RedisNames } from './keys.js'
import type { Change } from './script.js'

/** What Redis itself takes, where it was not told otherwise. */
const LARGEST_VALUE = 512 * 1024 * 1024

const OLDEST: readonly [number, number] = [6, 2]

// What a server refuses now and not for ever.
const PASSING = ['OOM', 'MISCONF', 'NOREPLICAS', 'BUSY', 'CLUSTERDOWN']

/** What the boot asks with: one command, and whatever the script answers to a change. */
export interface Asking {
  ask (key: string, command: string[]): Promise<unknown>
  change (change: Change): Promise<unknown>
}

/**
 * Looks at the server, and refuses the boot where the contract cannot be kept.
 *
 * @returns the bytes that one value may have
 * @throws FST_IF_MATCH_INVALID_ADAPTER
 */
export async function checkServer (asking: Asking, names: RedisNames): Promise<number> {
  const [probe] = names.probe
  await asking.ask(probe, ['PING'])
  await checkVersion(asking, probe)
  await checkRights(asking, names)
  await checkLayout(asking, names)
  await checkEviction(asking, probe)
  return Number(await configured(asking, probe, 'proto-max-bulk-len') ?? LARGEST_VALUE)
}

async function checkVersion (asking: Asking, probe: string): Promise<void> {
  const info = await asking.ask(probe, ['INFO', 'server']).catch(undefinedIfForbidden)
  const [, version, major, minor] = /^redis_version:((\d+)\.(\d+)\S*)/m.exec(String(info)) ?? []
  if (version === undefined) return
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1])
  if (isOld) refuse(`it is version ${version}, and the adapter needs ${OLDEST.join('.')} or later.`)
}

// The script writes and removes what no entity is called, so missing rights and a replica show here and not half way
// through a write. What a busy or a full server refuses shows nothing of that kind.
async function checkRights (asking: Asking, { probe: [entity, index] }: RedisNames): Promise<void> {
  const about = { entity, index, key: 'probe', expectation: { kind: 'any' } } as const
  for (const write of [{ version: 'probe', json: 'null', digest: undefined }, undefined]) {
    await asking.change(write === undefined ? about : { ...about, write }).catch((error: unknown) => {
      if (!PASSING.includes(replyCode(error) ?? '')) throw error
    })
  }
}

async function checkLayout (asking: Asking, { marker, layout }: RedisNames): Promise<void> {
  await asking.ask(marker, ['SETNX', marker, layout]).catch((error: unknown) => {
    if (!PASSING.includes(replyCode(error) ?? '')) throw error
  })
  const found = await asking.ask(marker, ['GET', marker])
  if (found !== null && found !== layout) {
    refuse(
      `the entities under this prefix were written with "list" set to ${found === 'entity' ? 'false' : `"${String(found)}"`}. Set it so, or use another prefix: none of them would be found.`
    )
  }
}

async function checkEviction (asking: Asking, probe: string): Promise<void> {
  const policy = await configured(asking, probe, 'maxmemory-policy')
  if (policy === 'noeviction') return
  // An entity that was evicted is absent, and `If-None-Match: *` would create it anew (E49).
  if (policy === undefined) {
    warn(
      'FST_IF_MATCH_REDIS_EVICTION_UNCHECKED',
      'The Redis server does not say what its maxmemory-policy is. Check that it is noeviction: an entity that is evicted reads as absent.'
    )
  } else {
    warn(
      'FST_IF_MATCH_REDIS_EVICTION',
      `The Redis server has the maxmemory-policy ${policy}. Set it to noeviction: an entity that is evicted reads as absent.`
    )
  }
}

async function configured (asking: Asking, probe: string, name: string): Promise<string | undefined> {
  const found = await asking.ask(probe, ['CONFIG', 'GET', name]).catch(undefinedIfForbidden) as string[] | undefined
  return found?.[1]
}

// Managed services forbid some commands to everybody (NOPERM), or know no such command at all (ERR).
function undefinedIfForbidden (error: unknown): undefined {
  if (!['NOPERM', 'ERR'].includes(replyCode(error) ?? '')) throw error
}

function warn (code: string, message: string): void {
  process.emitWarning(message, { code })
}

function refuse (why: string): never {
  throw new InvalidAdapterError(`cannot use this Redis server: ${why}`)
}

/** Why the boot was refused, for the log. */
export function refusal (error: unknown): Error {
  return new InvalidAdapterError(`cannot use this Redis server. ${explain(error).message}`)
}
