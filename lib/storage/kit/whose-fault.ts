import { isIfMatchError, StorageFaultError } from '../../errors.js'
import { innerError } from './inner-error.js'

// Errors of ORMs have the driver's inside, and that may have another one.
const MAX_DEPTH = 8

// By name, because the classes differ from one realm to the other, and test runners make realms.
const BUG = /^((Type|Range|Reference|Syntax|URI|Eval|Assertion)Error)$/

// How `fetch` tells that it lost the connection, or found none: in Node.js, in browsers and workers.
const FETCH_FAILED = /^(fetch failed|terminated|Failed to fetch|Load failed|NetworkError|network error)\b/i

// SQLSTATEs of a statement that is wrong, or of a table that is not as it expects: a feature that is not there (0A), a
// subquery of several rows (21), a prepared statement that is not there (26), no such schema (3F), syntax, names, types
// and rights (42), a view that cannot be written (55000). The server says so before it changes anything.
const WRONG_STATE = /^((0A|21|26|3F|42)[\dA-Z]{3}|55000)$/

// In class 42 MySQL has three limits as well (engine-facts#mysql-sqlstate-42-limits).
const LIMIT = /^ER_(TOO_MANY_USER_CONNECTIONS|USER_LIMIT_REACHED|MAX_PREPARED_STMT_COUNT_REACHED)$/

// A statement that is wrong, a misuse of SQLite, a missing right, a parameter that the statement does not have.
const WRONG_RESULT = /^SQLITE_(ERROR|MISUSE|AUTH|RANGE)(_|$)/
const WRONG_RESULTS: readonly unknown[] = [1, 21, 23, 25]

/** What failed, for the text of FST_IF_MATCH_STORAGE_FAULT. */
export const FAULT = {
  refused: 'the engine refuses the statement or the access, and nothing was changed',
  read: 'a read failed by a mistake in the code',
  write: 'a write failed by a mistake in the code, and may have been applied',
  nothing:
    'the write does nothing, and nothing stands in its way. Look for a row that is marked as deleted, row-level ' +
    'security, a trigger that leaves the row out, or a transaction that reads an older snapshot, as on MySQL at ' +
    'REPEATABLE READ: let its read lock the row, or begin it at READ COMMITTED',
  rolledBack:
    'a statement of the work failed, and its error was not passed on, so the database rolled the transaction back. ' +
    'Let the work reject, or catch the error around a savepoint',
  ended:
    'the transaction had ended before its COMMIT. If by a deadlock, whose error was not passed on, nothing of it is ' +
    'stored; if by a statement of the work that commits, such as ALTER, what came before that is stored',
  stored: 'what is stored there is not what the adapter writes, and nothing was changed'
} as const

const passedOn = new WeakSet()
const ofConstraint = new WeakSet()

/**
 * Whether an error is one of the app that says that nothing was applied, such as a 409 of a rule of its own: it has a
 * `statusCode` or `status` of 400 to 499, or was passed on. Adapter and plugin let it out as it is.
 */
export function isOfApp (error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  // Fastify takes the status from either name, and the exceptions of Nest have the second one.
  const { status, statusCode = status } = error as { statusCode?: unknown, status?: unknown }
  return passedOn.has(error) || (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
}

/** Marks an error of the app that was thrown where nothing can have been applied, and gives it back. */
export function passOn<E> (error: E): E {
  if (typeof error === 'object' && error !== null) passedOn.add(error)
  return error
}

/** Marks an error that stands for the refusal of a constraint, and gives it back. */
export function toldOfConstraint<E> (error: E): E {
  if (typeof error === 'object' && error !== null) ofConstraint.add(error)
  return error
}

/** Whether a constraint refused a write: FST_IF_MATCH_CONSTRAINT, or the error that the app has for it. */
export function isOfConstraint (error: unknown): boolean {
  return (isIfMatchError(error) && error.code === 'FST_IF_MATCH_CONSTRAINT') || ofConstraint.has(Object(error))
}

/**
 * Whose mistake an error tells of, if it tells of one. Trying again does not help, so it must not look like an outage
 * (decision 0018).
 *
 * - `statement`: the engine refused the statement before it changed anything
 * - `code`: JavaScript threw, as for a misspelt property; what ran before that stays
 * - undefined: no mistake. `fetch` reports a lost connection by a TypeError whose cause is the error of the network
 *   (engine-facts#node-fetch-failed)
 */
export function mistakeIn (error: unknown): 'statement' | 'code' | undefined {
  let found = error
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const { name, message, code, sqlState, errcode } = Object(found) as Record<string, unknown>
    const state = String(sqlState ?? code)
    if (WRONG_STATE.test(state) && !LIMIT.test(String(code))) return 'statement'
    if (WRONG_RESULT.test(String(code))) return 'statement'
    // node:sqlite has the extended result code, whose low byte is the primary one.
    if (code === 'ERR_SQLITE_ERROR' && WRONG_RESULTS.includes(Number(errcode) & 0xff)) return 'statement'
    const inner = innerError(found)
    if (inner === undefined) {
      if (!BUG.test(String(name)) || FETCH_FAILED.test(String(message))) return undefined
      return code === undefined || String(code).startsWith('ERR_') ? 'code' : undefined
    }
    found = inner
  }
  return undefined
}

/**
 * The error of the contract for a mistake of the server. The cause is the error that told of it, for the log, without
 * what its text may quote: what a parser could not read, or the value that Node.js or an assertion refused
 * (engine-facts#node-error-quotes-value).
 */
export function storageFault (what: string, error: unknown): Error {
  const { name, code } = Object(error) as { name?: unknown, code?: unknown }
  const mayQuote = /^(Syntax|Assertion)Error$/.test(String(name)) || String(code).startsWith('ERR_')
  const cause = mayQuote
    ? withFramesOf(error, `${String(name)}${code === undefined ? '' : ` ${String(code)}`}: its text may quote content.`)
    : error
  return new StorageFaultError(what, { cause })
}

/** An error with this text, and with the place in the code where `error` was made. */
export function withFramesOf (error: unknown, text: string): Error {
  const made = new Error(text)
  const { stack, message } = Object(error) as { stack?: unknown, message?: unknown }
  const [head, ...frames] = String(stack).split(String(message))
  const isWhole = typeof message === 'string' && message !== '' && frames.length > 0 && !head!.includes('\n')
  if (isWhole) made.stack = `Error: ${text}${frames.join(message)}`
  return made
}
