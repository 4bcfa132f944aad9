import { createHash } from 'node:crypto'
import type { Expectation } from '../adapter.js'

/**
 * Compares and acts in one step, for all expectations. Every change is one command behind everything that can fail (E46):
 * a script is no transaction, and what it wrote before an error stays. The index goes first, because one that names too
 * much does no harm.
 *
 * KEYS: the entity, its index if there is one. ARGV: the change, the member of the index, the new version, the value, the
 * digest, the kind of expectation, the versions that it names.
 */
export const SCRIPT = `
local version = redis.call('HGET', KEYS[1], 'version')
if not version and redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.error_reply('WRONGTYPE the key holds something else than an entity')
end
local kind = ARGV[6]
local holds = kind == 'any' or (kind == 'exists' and version) or (kind == 'absent' and not version)
if kind == 'version' and version then
  for at = 7, #ARGV do
    if ARGV[at] == version then holds = true end
  end
end
if not holds then
  if not version then return {0} end
  return {0, unpack(redis.call('HMGET', KEYS[1], 'version', 'value', 'replaced', 'digest'))}
end
if ARGV[1] == 'remove' then
  if KEYS[2] then redis.call('ZREM', KEYS[2], ARGV[2]) end
  redis.call('DEL', KEYS[1])
else
  if KEYS[2] then redis.call('ZADD', KEYS[2], 0, ARGV[2]) end
  redis.call('HSET', KEYS[1], 'version', ARGV[3], 'value', ARGV[4], 'replaced', version or '', 'digest', ARGV[5])
end
return {1, version or ''}
`

/** What a server that has seen the script knows it by. */
export const SHA = createHash('sha1').update(SCRIPT).digest('hex')

/** What the script is told. */
export interface Change {
  readonly entity: string
  readonly index: string | undefined
  readonly key: string
  readonly expectation: Expectation
  /** Undefined: a removal. */
  readonly write?: { readonly version: string, readonly json: string, readonly digest: string | undefined } | undefined
}

/** The commands that run it: the short one, and the one for a server that has not seen the script since it started. */
export function commandsOf ({ entity, index, key, expectation, write }: Change): { evalsha: string[], eval: string[] } {
  const keys = index === undefined ? [entity] : [entity, index]
  const { version = '', json = '' } = write ?? {}
  // As JSON, an absent digest differs from every text.
  const digest = JSON.stringify(write?.digest ?? null)
  const versions = expectation.kind === 'version' ? expectation.versions : []
  const rest = [
    String(keys.length),
    ...keys,
    write === undefined ? 'remove' : 'write',
    key,
    version,
    json,
    digest,
    expectation.kind,
    ...versions
  ]
  return { evalsha: ['EVALSHA', SHA, ...rest], eval: ['EVAL', SCRIPT, ...rest] }
}
