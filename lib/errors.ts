import createError, { type FastifyErrorConstructor } from '@fastify/error'
import { refusalClass, type RefusalError, type RefusalErrorConstructor } from './refusal-error.js'

type ErrorClass = FastifyErrorConstructor<{ code: string, statusCode?: number }>

// A code never gets another meaning; messages may change. Errors of wrong use at boot are TypeErrors. The constructors
// take the values for the placeholders of the message; `{ cause }` comes last and may be left out.

// Errors of the client carry no stack trace: it is always the same, and costs more than the comparison.
function clientError (code: string, message: string, statusCode: number): ErrorClass {
  return createError(code, message, statusCode, Error, false)
}

/** The request names no strategy: `If-Match` is missing. 400, or 428 (RFC 6585 3), as the option `missing` says. */
export const RequiredError: ErrorClass = clientError(
  'FST_IF_MATCH_REQUIRED',
  'The request has no If-Match header, so nothing was changed. ' +
    'Read the entity and send its ETag in If-Match, or send "If-Match: *" to overwrite whatever is there%s.',
  400
)

/** `If-Match` or `If-None-Match` is neither `*` nor a list of at most 256 entity-tags (RFC 9110 13.1.1). */
export const MalformedError: ErrorClass = clientError(
  'FST_IF_MATCH_MALFORMED',
  'The %s header is neither "*" nor a list of 1 to 256 entity-tags in double quotes, so nothing was done. ' +
    'Send the ETag exactly as it was received, quotes included.',
  400
)

/** A precondition is false (RFC 9110 13.2.2, 15.5.13). It has the facts of a refusal: which one, and what is there. */
export const PreconditionFailedError: RefusalErrorConstructor = refusalClass(
  'FST_IF_MATCH_PRECONDITION_FAILED',
  '%s, so the request was refused. %s',
  412,
  'mismatch'
)

/** The entity is absent, which ranks before a precondition (RFC 9110 13.2.1). */
export const EntityAbsentError: RefusalErrorConstructor = refusalClass(
  'FST_IF_MATCH_ENTITY_ABSENT',
  'There is no such entity. Check the address: it was never created, or it was removed.',
  404,
  'absent'
)

/**
 * Others were in the way each time: a write under `*` or a list of tags lost the race against other writers 48 times,
 * an adapter 16 times, or a transaction of the app met a conflict, in which nothing can be tried again.
 */
export const ContentionError: ErrorClass = createError(
  'FST_IF_MATCH_CONTENTION',
  'Other writers were faster in %d attempts in a row, and this write was not applied. Send the request again later.',
  503
)

/** The storage cannot be reached; a write was certainly not applied. */
export const StorageUnavailableError: ErrorClass = createError(
  'FST_IF_MATCH_STORAGE_UNAVAILABLE',
  'The storage does not answer, and this step was not carried out. Send the request again later.',
  503
)

/** The answer of the storage was lost: the write may have been applied or not. */
export const OutcomeUnknownError: ErrorClass = createError(
  'FST_IF_MATCH_OUTCOME_UNKNOWN',
  'The storage did not confirm the write, which may have been applied or not. ' +
    'Read the entity before you send the request again.',
  503
)

/** The handler of a guarded route answered with success, and neither wrote its entity nor called `unchanged`. */
export const NotWrittenError: ErrorClass = createError(
  'FST_IF_MATCH_NOT_WRITTEN',
  'The handler of %s %s ended without a write to its entity, so the precondition protected nothing. What it ' +
    'wrote past request.entity(), if anything, is stored. Call replace, update, remove, create, transaction or ' +
    'unchanged of request.entity(), and do not swallow its rejection.',
  500
)

/** A route says `config.ifMatch`, or its handler calls `request.entity()`, and no guard is in place. */
export const NotGuardedError: ErrorClass = createError(
  'FST_IF_MATCH_NOT_GUARDED',
  '%s %s is not guarded: %s',
  500
)

/**
 * A write would have begun after the answer was sent or the client was gone, or a read had not been sent by then. The
 * storage was sent nothing.
 */
export const LateWriteError: ErrorClass = createError(
  'FST_IF_MATCH_LATE_WRITE',
  'The answer to this request was sent, or its client is gone, before this write began, so it was not applied.',
  503
)

/** An adapter gave a version that cannot be an entity-tag. */
export const InvalidVersionError: ErrorClass = createError(
  'FST_IF_MATCH_INVALID_VERSION',
  'The storage adapter gave a version that cannot be an entity-tag: it must be a string of one or more of the ' +
    'visible ASCII characters without the double quote, the backslash and the semicolon.',
  500
)

/**
 * Options of the plugin, a route or an adapter are wrong: thrown at boot. In a request: a method of the entity was
 * called without what it needs, or creates what its route may not create; the function `key` returned no string, a
 * parameter of a key is missing or no text, the function `missing` failed, the function `variant` returned no name; the
 * adapter cannot use a context, has no `insert` or no transactions; no pattern of `storageByPattern` fits a key; or a
 * hook asked for the entity ahead of an asynchronous validator, or of what changed its key.
 */
export const InvalidOptionsError: ErrorClass = createError(
  'FST_IF_MATCH_INVALID_OPTIONS',
  'The fastify-if-match options of %s are wrong: %s',
  500,
  TypeError
)

/** The storage option is not a storage adapter (thrown at boot), or an adapter broke its contract. */
export const InvalidAdapterError: ErrorClass = createError(
  'FST_IF_MATCH_INVALID_ADAPTER',
  'The storage adapter %s',
  500,
  TypeError
)

/**
 * The key is not well-formed, has a NUL or an infinite number, is empty, or is longer than 1,024 bytes of UTF-8: no
 * engine is asked.
 */
export const InvalidKeyError: ErrorClass = clientError(
  'FST_IF_MATCH_INVALID_KEY',
  'The key of the entity %s, so no engine was asked for it. Use another identifier.',
  400
)

/** The value cannot be stored, and a client can have sent it: `1e400`, say, or what a column or an engine refuses. */
export const InvalidValueError: ErrorClass = clientError(
  'FST_IF_MATCH_INVALID_VALUE',
  'The value cannot be stored, and was not: %s. Change the value.',
  422
)

/**
 * A constraint of the table refuses the write: a unique value is taken, or rows refer to each other. The cause has the
 * name of the constraint, for the log and for an error handler.
 */
export const ConstraintError: ErrorClass = clientError(
  'FST_IF_MATCH_CONSTRAINT',
  'The write contradicts other stored data, so it was not applied: a value that must be unique is taken, or an ' +
    'entity that this one refers to is absent, or others refer to this one. Change the value, or the others first.',
  409
)

/**
 * `Idempotency-Key` is not one key of 1 to 255 characters. Routes with the option `resend` read it
 * (draft-ietf-httpapi-idempotency-key-header 2.1).
 */
export const IdempotencyKeyError: ErrorClass = clientError(
  'FST_IF_MATCH_IDEMPOTENCY_KEY',
  'The Idempotency-Key header is not one key of 1 to 255 visible ASCII characters, so nothing was done. ' +
    'Send one key, in double quotes, that is new for each write and the same when that write is sent again.',
  400
)

/** The `Idempotency-Key` belongs to another write (draft-ietf-httpapi-idempotency-key-header 2.7). */
export const KeyReusedError: ErrorClass = clientError(
  'FST_IF_MATCH_KEY_REUSED',
  'The Idempotency-Key of this request belongs to %s, so nothing was changed. Send a new key with a new write.',
  422
)

/** A PUT has `Content-Range`: its body is a part, which must not take the place of the whole (RFC 9110 14.5). */
export const ContentRangeError: ErrorClass = clientError(
  'FST_IF_MATCH_CONTENT_RANGE',
  'The request has a Content-Range header, and a PUT of a part is not supported, so nothing was changed. ' +
    'Send the whole entity without Content-Range.',
  400
)

/** The server made a value that is not JSON, such as a Date: no client sends one. */
export const NotJsonError: ErrorClass = createError(
  'FST_IF_MATCH_NOT_JSON',
  'The server made a value that is not JSON: %s. ' +
    'Convert it in the handler, or in the mapping or the adapter of the storage.',
  500
)

/**
 * The storage failed by a mistake of the server, and not by an outage: in a statement, a mapping, the schema or the
 * rights (decision 0018). The message says whether a write may have been applied. The cause, for the log, says which
 * mistake it is.
 */
export const StorageFaultError: ErrorClass = createError(
  'FST_IF_MATCH_STORAGE_FAULT',
  'The storage cannot do what the server asks of it, and trying again does not help: %s. Look at the cause in the log.',
  500
)

/** A write to an entity began while the function of `update`, `replace` or `transaction` was running on it. */
export const NestedWriteError: ErrorClass = createError(
  'FST_IF_MATCH_NESTED_WRITE',
  'A %s of an entity began while the function of its update(), replace() or transaction() was running, and would ' +
    'wait for it for ever. Return the new value from the function, or write through the client of the transaction, ' +
    'or await that call before the next write.',
  500
)

/**
 * The work of `transaction` ended, and the entity has the version that it had: the next writer would overwrite the
 * change without having seen it. Everything was rolled back.
 */
export const VersionUnchangedError: ErrorClass = createError(
  'FST_IF_MATCH_VERSION_UNCHANGED',
  'The work of a transaction ended without a new version of its entity, so all of it was rolled back. ' +
    'Let each change move the version: by a trigger, also on the tables of its parts, or by a statement of the work.',
  500
)

/** `replace`, `remove` or `unchanged` of a further entity that this request did not read: it would compare nothing. */
export const NotReadError: ErrorClass = createError(
  'FST_IF_MATCH_NOT_READ',
  'This request did not read the entity that it wants to %s, and its precondition is about another one. ' +
    'Call read() first, or use update().',
  500
)

/** Every error of this package by its code. Match `error.code`; messages may change in any release. */
export const errorCodes = {
  FST_IF_MATCH_REQUIRED: RequiredError,
  FST_IF_MATCH_MALFORMED: MalformedError,
  FST_IF_MATCH_PRECONDITION_FAILED: PreconditionFailedError,
  FST_IF_MATCH_ENTITY_ABSENT: EntityAbsentError,
  FST_IF_MATCH_CONTENTION: ContentionError,
  FST_IF_MATCH_STORAGE_UNAVAILABLE: StorageUnavailableError,
  FST_IF_MATCH_OUTCOME_UNKNOWN: OutcomeUnknownError,
  FST_IF_MATCH_NOT_WRITTEN: NotWrittenError,
  FST_IF_MATCH_NOT_GUARDED: NotGuardedError,
  FST_IF_MATCH_LATE_WRITE: LateWriteError,
  FST_IF_MATCH_INVALID_VERSION: InvalidVersionError,
  FST_IF_MATCH_INVALID_OPTIONS: InvalidOptionsError,
  FST_IF_MATCH_INVALID_ADAPTER: InvalidAdapterError,
  FST_IF_MATCH_INVALID_KEY: InvalidKeyError,
  FST_IF_MATCH_INVALID_VALUE: InvalidValueError,
  FST_IF_MATCH_NOT_READ: NotReadError,
  FST_IF_MATCH_CONSTRAINT: ConstraintError,
  FST_IF_MATCH_CONTENT_RANGE: ContentRangeError,
  FST_IF_MATCH_IDEMPOTENCY_KEY: IdempotencyKeyError,
  FST_IF_MATCH_KEY_REUSED: KeyReusedError,
  FST_IF_MATCH_NOT_JSON: NotJsonError,
  FST_IF_MATCH_STORAGE_FAULT: StorageFaultError,
  FST_IF_MATCH_NESTED_WRITE: NestedWriteError,
  FST_IF_MATCH_VERSION_UNCHANGED: VersionUnchangedError
} as const

/** The codes of this package. */
export type ErrorCode = keyof typeof errorCodes

/** An error of this package. */
export type IfMatchError = Error & { code: ErrorCode, statusCode: number }

/** Whether an error is one of this package's. */
export function isIfMatchError (error: unknown): error is IfMatchError {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && Object.hasOwn(errorCodes, code)
}

/** Whether an error is a refusal of this package, which says what stands in the way: 412, or 404. */
export function isRefusalError (error: unknown): error is RefusalError {
  return error instanceof PreconditionFailedError || error instanceof EntityAbsentError
}
