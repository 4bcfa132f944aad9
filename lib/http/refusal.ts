import { EntityAbsentError, PreconditionFailedError } from '../errors.js'
import type { Preconditions, Refusal } from './precondition.js'
import { withFacts, type CurrentEntity, type OwnWrite, type RefusalField } from '../refusal-error.js'

const CHANGE = 'Read it again, apply your change to what you find, and send its new ETag.'
const NEXT_STEPS: Record<string, string> = {
  GET: 'Read it again without If-Match.',
  HEAD: 'Read it again without If-Match.',
  DELETE: 'Read it again, and send its new ETag if it is still to be removed.'
}

/** What the words of a refusal depend on, beside the verdict. */
export interface RefusedRequest {
  readonly method: string
  /** Whether the request may create its entity. */
  readonly mayCreate: boolean
  /** What was demanded: by the headers, or by the operation of the handler. */
  readonly preconditions: Preconditions
  /** What the headers alone demand. */
  readonly sent: Preconditions
  /** The entity as it is now; undefined: there is none. */
  readonly current: CurrentEntity | undefined
  /** What an earlier try of the request did, as far as that is known. */
  readonly ownWrite: OwnWrite | undefined
  /** What to tell the client in place of the next step, once a step of the request was applied. */
  readonly warning: string | undefined
}

/** What is false, the next step of the client, which field it is, and whether a weak tag is to blame. */
type Words = readonly [what: string, nextStep: string, field?: RefusalField, isWeak?: boolean]

/** The error for preconditions of the request that do not hold. It names the field that is false, and no other. */
export function refusalError (verdict: Refusal, request: RefusedRequest): Error {
  if (verdict === 'absent') return new EntityAbsentError()
  const words = verdict === 'if-match' ? falseIfMatch(request) : falseIfNoneMatch(request)
  return told(verdict, words, request)
}

function told (
  verdict: Exclude<Refusal, 'absent'>,
  [what, nextStep, field, isWeak = false]: Words,
  { current, ownWrite, warning }: Pick<RefusedRequest, 'current' | 'ownWrite' | 'warning'>
): Error {
  const reason = verdict === 'if-none-match' ? 'exists' : current === undefined ? 'absent' : 'mismatch'
  const error = ownWrite === undefined
    ? new PreconditionFailedError(what, warning ?? nextStep)
    : new PreconditionFailedError(`${what}. ${OWN_WRITE[ownWrite]}`, warning ?? OWN_NEXT_STEP)
  return withFacts(error, { reason, field, isWeak, current, ownWrite })
}

const OWN_WRITE: Record<OwnWrite, string> = {
  current: 'Your request was applied before, and what it wrote is what is there',
  superseded: 'Your request was applied before, and the entity was changed since'
}
const OWN_NEXT_STEP = 'Do not send it again: read what is there.'

function falseIfMatch ({ method, mayCreate, preconditions, sent, current }: RefusedRequest): Words {
  // After a write or unchanged() of this request, its own version is what must still be there.
  if (preconditions.ifMatch !== sent.ifMatch) {
    return ['The entity was changed by another request meanwhile', NEXT_STEPS[method] ?? CHANGE]
  }
  if (current === undefined) {
    return [
      'If-Match is false: there is no such entity',
      mayCreate ? 'To create it, send "If-None-Match: *".' : 'Check the address.',
      'If-Match'
    ]
  }
  const { version } = current
  if (preconditions.ifMatch !== '*' && preconditions.ifMatch!.some(({ opaque }) => opaque === version)) {
    return [
      'If-Match is false: you named the current version by a weak tag, W/"...", and If-Match compares strongly ' +
        '(RFC 9110 8.8.3.2)',
      'What stands between you and the server may have weakened the ETag, such as a gateway that compresses: have it ' +
        "leave ETags alone, or set the option compare: 'opaque' on the server, which accepts such tags.",
      'If-Match',
      true
    ]
  }
  if (preconditions.ifMatch !== '*' && preconditions.ifMatch!.some(({ opaque }) => isCodingAppended(opaque, version))) {
    return [
      'If-Match is false: you named the current version with a content-coding behind it, such as "...-gzip"',
      'A gateway that compresses may have appended it: have it leave ETags alone, or set the option compare on the ' +
        'server to a function that takes it off.',
      'If-Match'
    ]
  }
  return ['If-Match is false: the entity is not the version that you named', NEXT_STEPS[method] ?? CHANGE, 'If-Match']
}

// As mod_deflate of Apache and others make the tag of what they compressed.
function isCodingAppended (opaque: string, version: string): boolean {
  return opaque.startsWith(version) && /^--?(?:gzip|br|deflate|zstd)$/.test(opaque.slice(version.length))
}

function falseIfNoneMatch ({ preconditions: { ifNoneMatch }, sent }: RefusedRequest): Words {
  if (ifNoneMatch !== '*') {
    return ['If-None-Match is false: the entity is a version that you named', 'Read it again.', 'If-None-Match']
  }
  const nextStep = 'To change it, read it and send its ETag in If-Match.'
  return sent.ifNoneMatch === '*'
    ? ['If-None-Match is false: the entity exists already', nextStep, 'If-None-Match']
    : ['This request creates the entity, which exists already', nextStep]
}

const FURTHER: Record<Exclude<Refusal, 'absent'>, Words> = {
  'if-match': ['Another entity that this request depends on was changed meanwhile', 'Send the request again.'],
  'if-none-match': [
    'Another entity that this request creates exists already',
    'Send the request again with another identifier.'
  ]
}

/** The same for a further entity of the request: its texts name no field, since the headers are not about it. */
export function furtherRefusalError (
  verdict: Refusal,
  request: Pick<RefusedRequest, 'current' | 'warning'>
): Error {
  const refused = { ...request, ownWrite: undefined }
  return verdict === 'absent' ? new EntityAbsentError() : told(verdict, FURTHER[verdict], refused)
}
