import assert from 'node:assert/strict'
import type {
  Expectation,
  Refused,
  RemoveResult,
  StorageAdapter,
  Stored,
  WriteOptions,
  WriteResult
} from '../storage/adapter.js'
import { satisfies } from '../storage/kit/expectation.js'
import type { ErrorCode } from '../errors.js'

export const ABSENT = { kind: 'absent' } as const
export const EXISTS = { kind: 'exists' } as const
export const ANY = { kind: 'any' } as const

export function versionIn (...versions: string[]) {
  return { kind: 'version', versions } as const
}

/** The outcome, which must be that the change was applied. */
export function applied<R extends WriteResult | RemoveResult> (result: R): Exclude<R, Refused> {
  assert.equal(result.applied, true, 'the expectation held, and the change was not applied')
  return result as Exclude<R, Refused>
}

/** What stood in the way; the outcome must be a refusal, and never contradicts itself. */
export function refused (result: WriteResult | RemoveResult, expectation: Expectation): Stored | undefined {
  assert.equal(result.applied, false, 'the expectation did not hold, and the change was applied')
  const { current } = result as Refused
  assert.equal(satisfies(expectation, current?.version), false, 'current satisfies the expectation that was refused')
  return current
}

/** Creates an entity and gives its version. */
export async function create (
  adapter: StorageAdapter,
  key: string,
  value: unknown,
  options?: WriteOptions
): Promise<string> {
  return applied(await adapter.write(key, value, ABSENT, options)).version
}

/** Reads an entity that must be there. */
export async function present (adapter: StorageAdapter, key: string): Promise<Stored> {
  const stored = await adapter.read(key)
  assert.ok(stored, `nothing is stored under ${JSON.stringify(key)}`)
  return stored
}

/** Compares entities by what the contract names; `undefined` and left out are the same. */
export function same (actual: Stored | undefined, expected: Stored | undefined, message?: string): void {
  assert.deepEqual(actual && named(actual), expected && named(expected), message)
}

function named ({ value, version, replaced, digest }: Stored): Stored {
  return { value, version, replaced, digest }
}

/** The call must reject with one of these codes. */
export async function rejectsWith (call: () => Promise<unknown>, ...codes: ErrorCode[]): Promise<void> {
  await assert.rejects(async () => await call(), (error: { code: ErrorCode }) => {
    assert.ok(codes.includes(error.code), `it rejects with "${String(error)}" and not with ${codes.join(' or ')}`)
    return true
  })
}

/** What became of the creation of `key` must be what is there now; only "outcome unknown" leaves it open. */
export async function tellsTheTruth (
  adapter: StorageAdapter,
  key: string,
  outcome: PromiseSettledResult<WriteResult>
): Promise<void> {
  if (outcome.status === 'rejected' && outcome.reason?.code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') return
  const isThere = (await adapter.read(key)) !== undefined
  assert.equal(
    isThere,
    outcome.status === 'fulfilled' && outcome.value.applied,
    isThere ? 'what was not confirmed is there' : 'what was confirmed is not there'
  )
}
