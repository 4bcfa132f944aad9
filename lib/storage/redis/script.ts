import { createHash } from 'node:crypto'
import type { Expectation, ReadOptions, Stored } from '../adapter.js'
import { lateStored, parseStored, storedText } from '../kit/stored-json.js'
import { needsNoValue, withoutValue } from '../kit/unless.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'

const DAMAGED = 'Redis: a stored entity is damaged. Look for who else writes under this prefix.'

/**
 * Compares the version of an entity with an expectation, and writes or removes the entity, in one step. A script is no
 * transaction: what it wrote before an error stays (engine-facts#redis-script-no-rollback). So all that can fail comes
 * before the first change, and the index comes before the entity, because an index that names too much does no harm.
 *
 * KEYS: the hash of the entity; the index of its collection, if it has one.
 * ARGV: `write` or `remove`, the member of the index, the new version, the value, the digest, the kind of the
 * expectation, the versions that it names.
 */
export const SCRIPT = `
local version = redis.call('HGET', KEYS[1], 'version')
if not version and redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.error_reply('WRONGTYPE the key holds something else than an entity')
end
local kind = ARGV[6]
local holds = kind == 'any' or (kind == 'exists' and version) or (kind == 'absent' and not version)
if kind == 'version' and version then
  for index = 7, #ARGV do
    if ARGV[index] == version then holds = true end
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

/**
 * Gives the fields of an entity, without the value if it has one of these versions.
 *
 * KEYS: the hash of the entity. ARGV: the versions.
 */
export const READ_SCRIPT = `
local version = redis.call('HGET', KEYS[1], 'version')
for index = 1, #ARGV do
  if ARGV[index] == version then
    return {version, false, unpack(redis.call('HMGET', KEYS[1], 'replaced', 'digest'))}
  end
end
return redis.call('HMGET', KEYS[1], 'version', 'value', 'replaced', 'digest')
`

const NOT_AT_ONCE = 'the server did not carry the command out at once. Look for what else is sent over this connection.'

/** By this a server that has seen a script knows it. */
export const SHA = shaOf(SCRIPT)
const READ_SHA = shaOf(READ_SCRIPT)

/** The answer of the script: 1 and the version that was replaced, or 0 and the fields of the current entity. */
export type Reply = [done: number, ...fields: Array<string | null>]

/**
 * The answer, if it is one of the script.
 *
 * @throws a plain error, so that the outcome is unknown: an open MULTI answers QUEUED, and its EXEC may come
 *   (engine-facts#redis-open-multi)
 */
export function replyOf (answer: unknown): Reply {
  const [done] = Array.isArray(answer) ? answer as unknown[] : []
  if (done === 0 || done === 1) return answer as Reply
  throw new Error(NOT_AT_ONCE)
}

/** What the script is to do. */
export interface Change {
  readonly entity: string
  readonly index: string | undefined
  readonly key: string
  readonly expectation: Expectation
  /** Undefined for a removal. */
  readonly write?: { readonly version: string, readonly json: string, readonly digest: string | undefined } | undefined
}

/** A call of a script: the command that names it by its hash, and its text, for a server that has not seen it yet. */
export interface ScriptCall { readonly evalsha: string[], readonly text: string }

/** The command that sends the text of a script as well. */
export function evalCommandOf ({ evalsha: [, , ...rest], text }: ScriptCall): string[] {
  return ['EVAL', text, ...rest]
}

/** The call that carries out a change. */
export function callOf ({ entity, index, key, expectation, write }: Change): ScriptCall {
  const evalsha = [
    'EVALSHA',
    SHA,
    ...(index === undefined ? ['1', entity] : ['2', entity, index]),
    write === undefined ? 'remove' : 'write',
    key,
    write?.version ?? '',
    write?.json ?? '',
    // As JSON, an absent digest differs from every text.
    JSON.stringify(write?.digest ?? null),
    expectation.kind,
    ...(expectation.kind === 'version' ? expectation.versions : [])
  ]
  return { evalsha, text: SCRIPT }
}

/** The command that reads the hash of an entity: its fields, in the same order as a refusal of the script has them. */
export function readCommandOf (entity: string): string[] {
  return ['HMGET', entity, 'version', 'value', 'replaced', 'digest']
}

/** The command that reads all fields but the value: a field that no entity has stands in its place. */
export function readFactsCommandOf (entity: string): string[] {
  return ['HMGET', entity, 'version', '', 'replaced', 'digest']
}

/** The call that reads the fields, without the value of these versions. */
export function readUnlessCallOf (entity: string, versions: readonly string[]): ScriptCall {
  return { evalsha: ['EVALSHA', READ_SHA, '1', entity, ...versions], text: READ_SCRIPT }
}

/**
 * The entity that these fields make, for a caller with these options; undefined if there is none.
 *
 * @throws FST_IF_MATCH_STORAGE_FAULT for a damaged entity, which must not read as an absence; a plain error if these
 *   are no fields, such as the QUEUED of an open MULTI
 */
export function storedOf<T> (fields: unknown, options?: ReadOptions): Stored<T> | undefined {
  if (!Array.isArray(fields)) throw new Error(NOT_AT_ONCE)
  const [version, value, replaced, digest] = fields as Array<string | null | undefined>
  if (version == null && [value, replaced, digest].every((field) => field == null)) return undefined
  if (version == null) throw storageFault(FAULT.stored, new Error(DAMAGED))
  const facts = {
    version,
    replaced: replaced === '' || replaced == null ? undefined : replaced,
    digest: (parseStored(digest ?? '', DAMAGED) as string | null) ?? undefined
  }
  if (needsNoValue(options, version)) return withoutValue(facts)
  // A field that somebody removed is no text that could be sent.
  if (value == null) return lateStored<T>(undefined, facts, () => parseStored('', DAMAGED) as T)
  return storedText(value, facts, DAMAGED)
}

function shaOf (script: string): string {
  return createHash('sha1').update(script).digest('hex')
}
