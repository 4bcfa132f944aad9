import { InvalidAdapterError } from '../../errors.js'
import type { Stored, Written } from '../adapter.js'
import { copyRead } from '../kit/json.js'
import { versionText } from '../kit/row-version.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'

/** What a column of versions gives. A Date is none: it has milliseconds alone. */
export type RowVersion = string | number | bigint

/**
 * How many rows a statement changed, 0 or 1. An update counts a row that was there, whatever it held before. The null
 * of pg's `rowCount` passes the type check; as an answer it tells nothing, and is an error.
 */
export type RowCount = number | null | Promise<number | null>

/**
 * The row that RETURNING gives: its version alone, or all that `read` finds. The value of a whole row, one that has all
 * that `toColumns` made, is what the write answers with.
 */
export interface ReturnedRow { readonly version: RowVersion }

/** How many rows a statement changed, or these rows: an array of none or one. */
export type RowsOrCount = RowCount | readonly ReturnedRow[] | Promise<readonly ReturnedRow[]>

/** What a statement changed; without `row`, the row is as it was sent. */
export interface Changed { row?: ReturnedRow }

/** A write as it was sent to the statement. */
export interface Sent<T, Columns extends object> {
  version: string
  columns: Columns
  created: boolean
  /** The versions that the row may have had; undefined: whatever. */
  versions: readonly string[] | undefined
  toValue: (columns: Columns) => T
}

const COUNT = 'counted rows in a way that tells nothing: a statement gives how many it changed, 0 or 1'

/** @throws FST_IF_MATCH_STORAGE_FAULT for what is neither 0 nor 1: no refusal of a removal that was applied */
export function isChanged (count: unknown): boolean {
  if (count === 0 || count === 1) return count === 1
  throw mayBeApplied(new InvalidAdapterError(`${COUNT}.`))
}

/**
 * What a statement changed, by its answer; undefined: nothing.
 *
 * @throws FST_IF_MATCH_STORAGE_FAULT for what tells nothing: no refusal of a write that was applied
 */
export function changedBy (answer: unknown): Changed | undefined {
  if (!Array.isArray(answer)) {
    if (answer === 0 || answer === 1) return answer === 1 ? {} : undefined
    throw mayBeApplied(new InvalidAdapterError(`${COUNT}, or the array of rows of RETURNING.`))
  }
  // Without RETURNING, postgres.js gives an empty array with the count (engine-facts#postgres-js-count).
  const { length, count = length } = answer as { length: number, count?: unknown }
  if (length > 1 || count !== length) {
    const many = `gave ${length} rows, and changed ${count === length ? 'as many' : String(count)}`
    throw mayBeApplied(new InvalidAdapterError(`${many}. A statement changes one row, and gives it by RETURNING.`))
  }
  return length === 0 ? undefined : { row: answer[0] }
}

/**
 * The outcome of a write: what the row of the statement has, or what was sent.
 *
 * @throws FST_IF_MATCH_STORAGE_FAULT if the row is unfit. Never an error of the mapping itself, which would say that
 * nothing was applied
 */
export function written<T, Columns extends object> ({ row }: Changed, sent: Sent<T, Columns>): Written<T> {
  const { created, columns, versions } = sent
  if (row === undefined) return { applied: true, version: sent.version, created }
  try {
    const version = versionText(Object(row).version)
    if (versions?.length === 1 && versions[0] === version) {
      throw new InvalidAdapterError(
        'changed a row, and its version stayed: the next write would not see this one. Let each UPDATE move the ' +
        'version, by a trigger or in the statement, also one that changes nothing else.'
      )
    }
    const isWhole = Object.keys(columns).every((column) => column in row)
    if (!isWhole) return { applied: true, version, created }
    const value = copyRead(sent.toValue(row as ReturnedRow & Columns), 'what toValue made')
    return { applied: true, version, created, value }
  } catch (error) {
    throw mayBeApplied(error)
  }
}

/**
 * What stands beside the value of a row.
 *
 * @throws FST_IF_MATCH_STORAGE_FAULT if its version is none
 */
export function provenanceOf (row: {
  version: unknown
  replaced?: unknown
  digest?: string | null | undefined
}): Omit<Stored, 'value'> {
  const { replaced, digest } = row
  try {
    return {
      version: versionText(row.version),
      replaced: replaced === undefined || replaced === null ? undefined : versionText(replaced),
      digest: digest ?? undefined
    }
  } catch (error) {
    throw storageFault(FAULT.read, error)
  }
}

function mayBeApplied (error: unknown): Error {
  return storageFault(FAULT.write, error)
}
