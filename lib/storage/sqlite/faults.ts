/** What went wrong, as far as it makes a difference here. */
export type SqliteFault =
  | 'BUSY'
  | 'READONLY'
  | 'IOERR'
  | 'CORRUPT'
  | 'FULL'
  | 'CANTOPEN'
  | 'TOOBIG'
  | 'CONSTRAINT'
  | 'NOTADB'
  | 'CLOSED'
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
  26: 'NOTADB'
}

const MEANING: Readonly<Record<Exclude<SqliteFault, 'OTHER'>, string>> = {
  BUSY: 'another connection holds the lock of the file. Look for a transaction that somebody left open.',
  READONLY:
    'the file cannot be written. Check the permissions of the file and of its folder, and how the handle was opened.',
  IOERR: 'the file cannot be read or written. Look at the disk.',
  CORRUPT: 'the file is damaged. Restore it from a backup.',
  FULL: 'the disk is full. Make room.',
  CANTOPEN: 'the file cannot be opened. Check that its folder is there and can be written.',
  TOOBIG: 'the value is larger than SQLite takes.',
  CONSTRAINT: 'a constraint or a trigger of the table refused the row.',
  NOTADB: 'the file is not an SQLite database.',
  CLOSED: 'the handle is closed. Close it when the app is closed, not before.'
}

/** What an error of a driver says, in the words of SQLite. */
export function faultOf (error: unknown): SqliteFault {
  const { code, errcode, message } = error as { code?: unknown, errcode?: unknown, message?: unknown }
  // node:sqlite: the extended result code, whose low byte is the primary one.
  if (typeof errcode === 'number') return FAULT_OF_RESULT[errcode & 0xff] ?? 'OTHER'
  // better-sqlite3 and libsql: its name, such as SQLITE_IOERR_FSYNC.
  if (typeof code === 'string' && code.startsWith('SQLITE_')) {
    return (
      Object.values(FAULT_OF_RESULT).find(
        (fault) => code === `SQLITE_${fault}` || code.startsWith(`SQLITE_${fault}_`)
      ) ?? 'OTHER'
    )
  }
  // What better-sqlite3 refuses by itself has no code.
  if (/is too big$/.test(String(message))) return 'TOOBIG'
  return /not open|finalized/.test(String(message)) ? 'CLOSED' : 'OTHER'
}

/** An error for the log: what happened, and what to do about it. The error of the driver is its cause. */
export function explain (cause: unknown): Error {
  const fault = faultOf(cause)
  return new Error(`SQLite: ${fault === 'OTHER' ? (cause as Error).message : MEANING[fault]}`, { cause })
}
