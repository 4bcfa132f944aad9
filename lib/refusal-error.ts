import createError, { type FastifyError, type FastifyErrorConstructor } from '@fastify/error'

/**
 * Why a request was refused: the entity is not the version that was named (`'mismatch'`), there is none (`'absent'`),
 * or there is one and must not be (`'exists'`).
 */
export type RefusalReason = 'mismatch' | 'absent' | 'exists'

/** The field of the request that is false. */
export type RefusalField = 'If-Match' | 'If-None-Match'

/** What a refusal has to do with an earlier write of the same caller. */
export type OwnWrite = 'current' | 'superseded'

/** The entity that a refusal found. In JSON it is `{}`: only `read` leads to what is stored. */
export interface CurrentEntity {
  /** The version that the storage gave it: opaque. */
  readonly version: string
  /** The version as an entity-tag, quotes included: the `ETag` of the answer. */
  readonly etag: string
  /**
   * Its value, as a copy, with the version and the tag of that value. The refusal may have brought it. Otherwise, as
   * ahead of the handler of a PUT or DELETE, the storage is asked now, and the entity may be a later version by then.
   *
   * @throws FST_IF_MATCH_ENTITY_ABSENT (404) if it was removed since, FST_IF_MATCH_STORAGE_UNAVAILABLE (503)
   */
  read<T = unknown> (): Promise<{ value: T, version: string, etag: string }>
}

/**
 * What a refusal knows beside its message. All of it is behind getters of the prototype, so that neither JSON nor a
 * logger nor `util.inspect` shows it.
 */
export interface RefusalFacts {
  readonly reason: RefusalReason
  /** The field that is false; undefined: no field of the request is about what stands in the way. */
  readonly field: RefusalField | undefined
  /** Whether `If-Match` named the current version by a weak tag, which it compares as different (RFC 9110 8.8.3.2). */
  readonly isWeak: boolean
  /** The entity that stands in the way; undefined: there is none. */
  readonly current: CurrentEntity | undefined
  /**
   * Whether what stands in the way is an earlier write of the same caller (`'current'`), or that one was applied and
   * others have written since (`'superseded'`). Undefined: neither, or nobody can tell.
   */
  readonly ownWrite: OwnWrite | undefined
}

/** An error by which a request is refused: 412, or 404 where the absence of the entity ranks before a precondition. */
export type RefusalError = FastifyError & { code: string, statusCode?: number } & RefusalFacts

/** The constructor of such an error. */
export type RefusalErrorConstructor = FastifyErrorConstructor<{ code: string, statusCode?: number } & RefusalFacts>

// Returns what it is given, so that a class below it adds its private field to an object that is there already.
const Given = function (error: object) { return error } as unknown as new (error: object) => object

/** Facts on an error that another constructor made. A private field is seen by no serialiser and no inspector. */
class Attached extends Given {
  #facts: RefusalFacts

  constructor (error: object, facts: RefusalFacts) {
    super(error)
    this.#facts = facts
  }

  static on (error: object): RefusalFacts | undefined {
    return #facts in error ? error.#facts : undefined
  }
}

/** Tells an error what its refusal knows. Once: what it was told stays. */
export function withFacts<E extends object> (error: E, facts: RefusalFacts | undefined): E {
  return facts === undefined ? error : new Attached(error, facts) as object as E
}

/** What an error was told; undefined: nothing, or it is none of a refusal. */
export function factsOf (error: object): RefusalFacts | undefined {
  return Attached.on(error)
}

/**
 * Makes the class of a refusal, without a stack trace.
 *
 * @param reason that of an error which was told nothing: what an app or an adapter throws by itself
 */
export function refusalClass (
  code: string,
  message: string,
  statusCode: number,
  reason: RefusalReason
): RefusalErrorConstructor {
  const made = createError(code, message, statusCode, Error, false)
  const untold: RefusalFacts = { reason, field: undefined, isWeak: false, current: undefined, ownWrite: undefined }
  for (const name of Object.keys(untold) as Array<keyof RefusalFacts>) {
    Object.defineProperty(made.prototype, name, {
      get (this: object) { return (factsOf(this) ?? untold)[name] },
      enumerable: false,
      configurable: true
    })
  }
  return made as RefusalErrorConstructor
}
