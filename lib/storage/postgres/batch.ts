import type { Expectation, Stored } from '../adapter.js'
import { Batcher } from '../kit/batcher.js'
import type { KeyTurns } from '../kit/key-turns.js'
import { faultOf, readError, writeError } from './faults.js'
import type { PostgresSession } from './session.js'
import { statement, type QuotedTable, type Statement } from './sql.js'
import { possible, stored, type Applied, type Read, type Row, type Write } from './table.js'
import { throwIfStopped } from '../kit/stop.js'
import { within } from '../kit/deadline.js'

// How many items share a statement at most; two such statements under way beat one that is twice as large (E24).
const BATCH_SIZE = 32
const IN_FLIGHT = 2

/** A longer value goes alone: it would hold the others up, and there is no gain in it. */
export const LONGEST_VALUE = 64 * 1024

// How long one that has to wait holds the others up, in milliseconds. After that each goes alone.
const LONGEST_WAIT = 100

interface Item {
  key: string
  version: string
  value: string
  digest: string | undefined
  kind: Expectation['kind']
  versions: string[] | undefined
}

/**
 * The statement that carries out many writes of different keys, given as JSON in $1, and returns those that applied (E24).
 *
 * Rows are locked, and then new ones inserted, in the order of their keys: two of these never wait for one another
 * crosswise. What did not apply was refused, or must go alone: a look tells (E1).
 */
export function batchStatement (
  { name: table, columns: { key, version, replaced, digest, value } }: QuotedTable,
  lockTimeout: number
): Statement {
  const [bound, isBound] =
    lockTimeout === 0
      ? ['', '']
      : [
          `bound AS MATERIALIZED (SELECT set_config('lock_timeout', '${Math.min(lockTimeout, LONGEST_WAIT)}', true) AS is_set), `,
          ' WHERE (SELECT is_set FROM bound) IS NOT NULL'
        ]
  return statement(
    `WITH ${bound}` +
      // A value is a text in the JSON, and not a part of it: the parts are looked into, and \u0000 refused (E28).
      'item AS MATERIALIZED (SELECT i.* FROM json_to_recordset($1::text::json) AS i (key text, version text, value text, digest text, kind text, versions text[])' +
      isBound +
      '), ' +
      `locked AS MATERIALIZED (SELECT e.${key} AS key, e.${version} AS version FROM ${table} AS e WHERE e.${key} IN (SELECT item.key FROM item) ORDER BY e.${key} FOR NO KEY UPDATE), ` +
      `updated AS (UPDATE ${table} AS e SET ${replaced} = e.${version}, ${version} = i.version, ${value} = i.value::json, ${digest} = i.digest FROM item AS i JOIN locked AS l ON l.key = i.key ` +
      `WHERE e.${key} = i.key AND (i.kind IN ('exists', 'any') OR i.kind = 'version' AND l.version = ANY (i.versions)) RETURNING e.${key} AS key, false AS created), ` +
      `inserted AS (INSERT INTO ${table} AS e (${key}, ${version}, ${value}, ${digest}) SELECT i.key, i.version, i.value::json, i.digest FROM item AS i ` +
      `WHERE i.kind IN ('absent', 'any') AND NOT EXISTS (SELECT 1 FROM locked AS l WHERE l.key = i.key) ORDER BY i.key COLLATE "C" ON CONFLICT (${key}) DO NOTHING RETURNING e.${key} AS key, true AS created) ` +
      'SELECT key, created FROM updated UNION ALL SELECT key, created FROM inserted'
  )
}

/** What an item has to wait for, or to do, after its batch. */
export type Then<R> = () => Promise<R>

/**
 * Carries out writes of different keys (E25). One that fails for all, and was rolled back, is done again one by one, so
 * that a bad row fails alone (E28); one that may have been applied is not (E3).
 *
 * @param turns what goes alone: a key that is among it would hold the others up, and goes alone, too
 * @param alone carries out one write by itself, in its turn
 * @param prove finds out what became of one whose answer was lost
 */
export async function writeTogether (
  session: PostgresSession,
  batch: Statement,
  writes: readonly Write[],
  turns: KeyTurns,
  alone: (write: Write) => Promise<Applied>,
  prove: (write: Write, error: unknown) => Promise<Applied>
): Promise<Array<Then<Applied>>> {
  const ready = writes.filter(({ key, options }) => !isStopped(options) && !turns.has(key))
  // A batch of one is the single statement (E26).
  const together = ready.length === 1 ? [] : ready
  const others = new Map(
    writes.filter((write) => !together.includes(write)).map((write) => [write, started(alone(write))])
  )
  if (together.length === 0) {
    await Promise.allSettled(ready.map((write) => others.get(write)!()))
    return writes.map((write) => others.get(write)!)
  }
  try {
    const rows = await session.query<{ key: string, created: boolean }>(batch, [JSON.stringify(together.map(itemOf))])
    const created = new Map(rows.map((row) => [row.key, row.created]))
    return writes.map(
      (write) =>
        others.get(write) ??
        (async () => {
          const isCreated = created.get(write.key)
          if (isCreated !== undefined) return { applied: true, version: write.version, created: isCreated }
          throwIfStopped(write.options)
          return undefined
        })
    )
  } catch (error) {
    return writes.map(
      (write) =>
        others.get(write) ??
        (async () => {
          switch (faultOf(error)) {
            case 'RETRY':
            case 'LOCKED':
            case 'CANCELLED':
            case 'ROW':
              return await alone(write)
            case 'UNKNOWN':
              return await prove(write, error)
            case 'NOT_APPLIED':
              throw writeError(error, 1, false)
          }
        })
    )
  }
}

/**
 * Carries out reads as one statement. What is wrong with one row is wrong for whoever asked for it alone.
 *
 * @param alone carries out one read by itself
 */
export async function readTogether<T> (
  session: PostgresSession,
  statement: Statement,
  reads: readonly Read[],
  alone: (read: Read) => Promise<Stored<T> | undefined>
): Promise<Array<Then<Stored<T> | undefined>>> {
  if (reads.length === 1) return await lone(alone(reads[0]!))
  try {
    const rows = await session.query<Row & { key: string }>(statement, [reads.map(({ key }) => key)])
    const found = new Map(rows.map((row) => [row.key, row]))
    return reads.map(({ key }) => async () => {
      const row = found.get(key)
      return row && stored<T>(row)
    })
  } catch (error) {
    return reads.map((read) => async () => {
      if (faultOf(error) === 'RETRY') return await alone(read)
      throw readError(error, 1)
    })
  }
}

/**
 * A batcher whose batches stand in the way of later ones for a moment at most: what hangs, or waits for a row, then goes
 * on beside them.
 *
 * @param run never rejects
 */
export function batcherOf<I extends { key: string }, R> (
  run: (items: readonly I[]) => Promise<Array<Then<R>>>,
  keyOf?: (item: I) => string
): Batcher<I, Then<R>> {
  return new Batcher<I, Then<R>>({
    size: BATCH_SIZE,
    inFlight: IN_FLIGHT,
    ...(keyOf && { keyOf }),
    async run (items) {
      const outcomes = run(items)
      await within(LONGEST_WAIT, outcomes, () => new Error('later')).catch(() => {})
      return items.map((_, at) => ({ status: 'fulfilled', value: async () => await (await outcomes)[at]!() }))
    }
  })
}

async function lone<R> (outcome: Promise<R>): Promise<Array<Then<R>>> {
  await outcome.catch(() => {})
  return [started(outcome)]
}

function started<R> (outcome: Promise<R>): Then<R> {
  outcome.catch(() => {})
  return async () => await outcome
}

function isStopped (options: Write['options']): boolean {
  try {
    throwIfStopped(options)
    return false
  } catch {
    return true
  }
}

function itemOf ({ key, version, json, expectation, options }: Write): Item {
  return {
    key,
    version,
    value: json,
    digest: options?.digest,
    kind: expectation.kind,
    versions: expectation.kind === 'version' ? possible(expectation.versions) : undefined
  }
}
