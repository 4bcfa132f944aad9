import { isIfMatchError, OutcomeUnknownError, StorageUnavailableError } from '../../errors.js'

// What a server answers is in upper case up to the first space; what a driver says by itself is not.
const REPLY = /^([A-Z][A-Z]+) /

// A script of Redis 6.2 that fails has the error of its command in its text.
const INNER_REPLY = /-([A-Z][A-Z]+) /

// Said before anything was sent (E45), by ioredis and by node-redis.
const NOT_SENT = /^Stream isn't writeable|^The client is (offline|closed)$/

/** There is no connection, so nothing was sent. */
export class NotSentError extends Error {
  constructor (trouble: Error | undefined) {
    super(`there is no connection to the server.${trouble === undefined ? '' : ` ${explain(trouble).message}`}`)
  }
}

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
    'the user may not do what the adapter needs: EVALSHA, EVAL, and in them HGET, HMGET, EXISTS, HSET, DEL, ZADD and ZREM on all keys under the prefix; HMGET, ZRANGEBYLEX, GET, SETNX and PING.',
  BUSY: 'another script keeps the server busy.'
}

// What a user may not do inside a script has no code of its own.
const FORBIDDEN_INSIDE = /The user executing the script can't/

/** The code of the server's answer, such as `NOSCRIPT`; undefined if it is none. */
export function replyCode (error: unknown): string | undefined {
  const message = messageOf(error)
  const code = REPLY.exec(message)?.[1]
  if (code === 'ERR' && FORBIDDEN_INSIDE.test(message)) return 'NOPERM'
  return code === 'ERR' ? INNER_REPLY.exec(message)?.[1] ?? code : code
}

/**
 * Whether it is certain that nothing was done: the server refused, or nothing was sent (E45, E46). The script changes
 * nothing before what can fail, so an error of its own is a refusal too.
 */
export function isCertainlyNot (error: unknown): boolean {
  // What a driver made of an error of ours has that one in it.
  const { syscall, originalError = error } = error as { syscall?: unknown, originalError?: unknown }
  return (
    originalError instanceof NotSentError ||
    replyCode(error) !== undefined ||
    NOT_SENT.test(messageOf(error)) ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo'
  )
}

/** The error for a write that failed. */
export function faultOf (error: unknown): Error {
  if (isIfMatchError(error)) return error
  const Fault = isCertainlyNot(error) ? StorageUnavailableError : OutcomeUnknownError
  return new Fault({ cause: explain(error) })
}

/**
 * An error for the log: what happened, and what to do about it. The error of the driver is not its cause, because drivers
 * put the command into theirs, and with it passwords and values.
 */
export function explain (error: unknown): Error {
  const code = replyCode(error)
  // A server quotes the arguments of a command that it does not know.
  const text = (code === undefined ? undefined : MEANING[code]) ?? messageOf(error).replace(/, with args.*/s, '')
  return new Error(`Redis: ${text}`)
}

function messageOf (error: unknown): string {
  const { message, code } = error as { message?: unknown, code?: unknown }
  // What fails at several addresses of a name has a code, and no message of its own.
  return String(message || code)
}
