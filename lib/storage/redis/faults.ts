import { isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'
import { FAULT, storageFault } from '../kit/whose-fault.js'

// An answer of the server has a code in upper case up to the first space; errors of a driver's own have none.
const REPLY = /^([A-Z][A-Z]+) /

// A script that fails on Redis 6.2 has the code of its command inside the text (engine-facts#redis-script-error-text).
const INNER_REPLY = /-([A-Z][A-Z]+) /

// A missing right inside a script has no code of its own (engine-facts#redis-acl-in-script).
const FORBIDDEN_INSIDE = /The user executing the script can't/

// A script or a command that the server does not take. Behind the same code, ERR, proxies and managed services tell of
// their limits (engine-facts#redis-err-is-general).
const WRONG_COMMAND = /unknown (sub)?command|wrong number of arguments|syntax error|user_script|running script/i

// ioredis and node-redis say these before anything was sent (engine-facts#redis-not-sent-errors).
const NOT_SENT = /^Stream isn't writeable|^The client is (offline|closed)$/

const MEANING: Readonly<Record<string, string>> = {
  READONLY: 'this server is a replica. Connect to the master.',
  LOADING: 'the server is loading its data.',
  OOM: 'the memory of the server is full. Make room, or raise maxmemory.',
  MISCONF: 'the server cannot save its data, and takes no writes. Look at its disk and its log.',
  NOREPLICAS: 'the server has fewer replicas than min-replicas-to-write asks for.',
  CLUSTERDOWN: 'the Cluster does not serve this slot now.',
  MOVED: 'this server belongs to a Cluster. Pass a client for Cluster.',
  WRONGTYPE: 'a key under the prefix holds something else. Use a prefix of its own.',
  WRONGPASS: 'the user name or the password is wrong.',
  NOAUTH: 'the server asks for a password.',
  NOPERM:
    'the user may not do what the adapter needs: EVALSHA, EVAL, and in them HGET, HMGET, EXISTS, HSET, DEL, ZADD and ' +
    'ZREM on all keys under the prefix; HMGET, ZRANGEBYLEX, GET, SETNX and PING.',
  BUSY: 'another script keeps the server busy.'
}

/** There is no connection, so nothing was sent. */
export class NotSentError extends Error {
  constructor (trouble: Error | undefined) {
    super(`there is no connection to the server.${trouble === undefined ? '' : ` ${explain(trouble).message}`}`)
  }
}

/** The code of the server's answer, such as `NOSCRIPT`; undefined for an error of a driver's own. */
export function replyCode (error: unknown): string | undefined {
  const message = messageOf(error)
  const code = REPLY.exec(message)?.[1]
  if (code !== 'ERR') return code
  return FORBIDDEN_INSIDE.test(message) ? 'NOPERM' : INNER_REPLY.exec(message)?.[1] ?? code
}

/**
 * Whether it is certain that nothing was changed: nothing was sent, or the server refused. An error of the script
 * itself is a refusal, because nothing is changed before the last step that can fail.
 */
export function isCertainlyNot (error: unknown): boolean {
  // node-redis wraps the error that our reconnectStrategy gives.
  const { syscall, originalError = error } = error as { syscall?: unknown, originalError?: unknown }
  return (
    originalError instanceof NotSentError ||
    replyCode(error) !== undefined ||
    NOT_SENT.test(messageOf(error)) ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo'
  )
}

/**
 * Whether the server refused a command by a mistake in the setup, so that trying again does not help: other content
 * under the prefix, a missing right, a script that it does not take. A login that fails is an outage (decision 0018).
 */
export function isMistake (error: unknown): boolean {
  const code = replyCode(error)
  return code === 'WRONGTYPE' || code === 'NOPERM' || (code === 'ERR' && WRONG_COMMAND.test(messageOf(error)))
}

/** The error of the contract for a write that failed. */
export function writeError (error: unknown): Error {
  if (isIfMatchError(error)) return error
  const cause = explain(error)
  if (isMistake(error)) return storageFault(FAULT.refused, cause)
  return isCertainlyNot(error) ? new StorageUnavailableError({ cause }) : new OutcomeUnknownError({ cause })
}

/** The error of the contract for a read that failed: a read changes nothing, so no outcome is unknown. */
export function readError (error: unknown): Error {
  if (isIfMatchError(error)) return error
  const cause = explain(error)
  return isMistake(error) ? storageFault(FAULT.refused, cause) : new StorageUnavailableError({ cause })
}

/**
 * An error for the log: what happened, and what to do about it. The error of the driver is not its cause, because that
 * may hold the command, with passwords and values (engine-facts#redis-errors-quote-commands).
 */
export function explain (error: unknown): Error {
  const code = replyCode(error)
  const meaning = code === undefined ? undefined : MEANING[code]
  return new Error(`Redis: ${meaning ?? messageOf(error).replace(/, with args.*/s, '')}`)
}

function messageOf (error: unknown): string {
  const { message, code } = error as { message?: unknown, code?: unknown }
  // The error of a name with several addresses has a code and no message (engine-facts#node-aggregate-error).
  return String(message || code)
}
