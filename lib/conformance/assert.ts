import assert from 'node:assert/strict'
import type {
  Expectation,
  Refused,
  RemoveExpectation,
  RemoveResult,
  StorageAdapter,
  Stored,
  TransactionResult,
  WriteOptions,
  WriteResult
} from '../storage/adapter.js'
import { satisfies } from '../storage/kit/expectation.js'
import type { ErrorCode } from '../errors.js'

/** The outcome of any change. */
export type Outcome = WriteResult | RemoveResult | TransactionResult

/** The outcome of a change that must have been applied. */
export function assertApplied<R extends Outcome> (result: R): Exclude<R, Refused> {
  assert.equal(result.applied, true, 'the expectation held, but the change was refused')
  return result as Exclude<R, Refused>
}

/** The current entity of a change that must have been refused. That entity must not satisfy the expectation. */
export function assertRefused (result: Outcome, expectation: Expectation): Stored | undefined {
  assert.equal(result.applied, false, 'the expectation did not hold, but the change was applied')
  const { current } = result as Refused
  assert.equal(satisfies(expectation, current?.version), false, 'current satisfies the expectation that was refused')
  return current
}

/** Tries a write that must be refused, and gives the current entity. */
export async function assertWriteRefused (
  adapter: StorageAdapter,
  key: string,
  value: unknown,
  expectation: Expectation,
  options?: WriteOptions
): Promise<Stored | undefined> {
  return assertRefused(await adapter.write(key, value, expectation, options), expectation)
}

/** Tries a removal that must be refused, and gives the current entity. */
export async function assertRemovalRefused (
  adapter: StorageAdapter,
  key: string,
  expectation: RemoveExpectation
): Promise<Stored | undefined> {
  return assertRefused(await adapter.remove(key, expectation), expectation)
}

/** Two entities must agree in the members of `Stored`; undefined and left out are the same. */
export function assertSame (actual: Stored | undefined, expected: Stored | undefined): void {
  assert.deepEqual(actual && membersOf(actual), expected && membersOf(expected))
}

function membersOf ({ value, version, replaced, digest }: Stored): Stored {
  return { value, version, replaced, digest }
}

/** The text of an entity, where it has one, must be that of the value. */
export function assertJson ({ json }: Stored, value: unknown): void {
  if (json !== undefined) assert.deepEqual(JSON.parse(json), value, 'json is not the text of the value')
}

/** The call must reject with one of these codes. Gives the code. */
export async function assertRejects (call: () => Promise<unknown>, ...codes: ErrorCode[]): Promise<ErrorCode> {
  try {
    await call()
  } catch (error) {
    return assertCode(error, codes)
  }
  assert.fail(`it resolves instead of rejecting with ${codes.join(' or ')}`)
}

/** The error must have one of these codes. Gives the code. */
export function assertCode (error: unknown, codes: readonly ErrorCode[]): ErrorCode {
  const code = (error as { code?: ErrorCode } | undefined)?.code
  assert.ok(code !== undefined && codes.includes(code), `the error is "${String(error)}", not ${codes.join(' or ')}`)
  return code
}

/**
 * The answer to a creation of `keys` in one step must agree with the store: all of them are there, or none. After
 * OUTCOME_UNKNOWN, either is right.
 */
export async function assertTruthful (
  adapter: StorageAdapter,
  keys: readonly string[],
  answer: PromiseSettledResult<Outcome>
): Promise<void> {
  const isStored = (await adapter.read(keys[0]!)) !== undefined
  for (const key of keys.slice(1)) {
    assert.equal((await adapter.read(key)) !== undefined, isStored, 'a change of several entities is half applied')
  }
  if (answer.status === 'rejected' && answer.reason?.code === 'FST_IF_MATCH_OUTCOME_UNKNOWN') return
  const isConfirmed = answer.status === 'fulfilled' && answer.value.applied
  assert.equal(isStored, isConfirmed, isStored ? 'an unconfirmed write is stored' : 'a confirmed write is not stored')
}
