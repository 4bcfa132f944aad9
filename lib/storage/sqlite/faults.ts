import { mistakeIn } from '../kit/whose-fault.js'

/**
 * The kind of an error of SQLite. `CONFLICT`: a unique key is taken, or rows refer to each other; `CONSTRAINT` is any
 * other constraint. `CLOSED` is an error of the driver: the handle is not open. `MISTAKE`: the statement is wrong, or
 * the table is not as it expects (decision 0018).
 */
export type SqliteFault =
  | 'BUSY'
  | 'READONLY'
  | 'IOERR'
  | 'CORRUPT'
  | 'FULL'
  | 'CANTOPEN'
  | 'TOOBIG'
  | 'CONFLICT'
  | 'CONSTRAINT'
  | 'NOTADB'
  | 'CLOSED'
  | 'MISTAKE'
  | 'OTHER'

// The result codes of SQLite (https://sqlite.org/rescode.html).
const FAULT_OF_RESULT: Readonly<Record<number, SqliteFault>> = {
  5: 'BUSY',
  8: 'READONLY',
  10: 'IOERR',
  11: 'CORRUPT',
  13: 'FULL',
  14: 'CANTOPEN',
  18: 'TOOBIG',
  19: 'CONSTRAINT',
  // A text in an INTEGER PRIMARY KEY.
  20: 'CONSTRAINT',
  26: 'NOTADB'
}

// The text names the column, and not its content. Drivers that leave the extended code out tell by the text alone.
const CONFLICT = /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID|FOREIGNKEY)$/
const CONFLICTS: readonly unknown[] = [787, 1555, 2067, 2579]
const CONFLICT_TEXT = /(UNIQUE|FOREIGN KEY) constraint failed/

const MEANING: Readonly<Record<Exclude<SqliteFault, 'MISTAKE' | 'OTHER'>, string>> = {
  BUSY: 'another connection holds the lock of the file. Look for a transaction that somebody left open.',
  READONLY:
    'the file cannot be written. Check the permissions of the file and of its folder, and how the handle was opened.',
  IOERR: 'the file cannot be read or written. Look at the disk.',
  CORRUPT: 'the file is damaged. Restore it from a backup.',
  FULL: 'the disk is full. Make room.',
  CANTOPEN: 'the file cannot be opened. Check that its folder is there and can be written.',
  TOOBIG: 'the value is larger than SQLite takes.',
  CONFLICT: 'a unique key is taken, or rows refer to each other.',
  CONSTRAINT: 'a constraint or a trigger of the table refused the row.',
  NOTADB: 'the file is not an SQLite database.',
  CLOSED: 'the handle is closed. Close it when the app is closed, not before.'
}

/** The kind of an error of a driver (engine-facts#sqlite-error-codes). */
export function faultKind (error: unknown): SqliteFault {
  const fault = resultOf(error)
  if (fault === 'CONSTRAINT' && isConflict(error)) return 'CONFLICT'
  return fault === 'OTHER' && mistakeIn(error) === 'statement' ? 'MISTAKE' : fault
}

function resultOf (error: unknown): SqliteFault {
  const { code, errcode, message } = error as { code?: unknown, errcode?: unknown, message?: unknown }
  // node:sqlite has the extended result code, whose low byte is the primary one.
  if (typeof errcode === 'number') return FAULT_OF_RESULT[errcode & 0xff] ?? 'OTHER'
  // better-sqlite3 and libsql have the name of that code, such as SQLITE_IOERR_FSYNC.
  if (typeof code === 'string' && code.startsWith('SQLITE_')) {
    if (code === 'SQLITE_MISMATCH') return 'CONSTRAINT'
    const isFault = (fault: SqliteFault) => code === `SQLITE_${fault}` || code.startsWith(`SQLITE_${fault}_`)
    return Object.values(FAULT_OF_RESULT).find(isFault) ?? 'OTHER'
  }
  // The errors of better-sqlite3 itself have no code.
  if (/is too big$/.test(String(message))) return 'TOOBIG'
  return /not open|finalized/.test(String(message)) ? 'CLOSED' : 'OTHER'
}

function isConflict (error: unknown): boolean {
  const { code, errcode, message } = error as { code?: unknown, errcode?: unknown, message?: unknown }
  return CONFLICT.test(String(code)) || CONFLICTS.includes(errcode) || CONFLICT_TEXT.test(String(message))
}

/** An error for the log: it says what happened and what to do, and has the error of the driver as its cause. */
export function explain (cause: unknown): Error {
  const fault = faultKind(cause)
  const hasMeaning = fault !== 'OTHER' && fault !== 'MISTAKE'
  return new Error(`SQLite: ${hasMeaning ? MEANING[fault] : (cause as Error).message}`, { cause })
}
