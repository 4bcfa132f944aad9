import { EntityAbsentError, PreconditionFailedError } from '../errors.js'
import type { Preconditions, Refusal } from './precondition.js'

/** The error for preconditions of the request that do not hold. It names the field that is false, and no other. */
export function refusalError (verdict: Refusal, { ifNoneMatch }: Preconditions, exists: boolean): Error {
  switch (verdict) {
    case 'absent':
      return new EntityAbsentError()
    case 'if-match':
      return exists
        ? new PreconditionFailedError(
          'If-Match is false: the entity is not the version that you named',
          'Read it again, apply your change to what you find, and send its new ETag.'
        )
        : new PreconditionFailedError(
          'If-Match is false: there is no such entity',
          'To create it, send "If-None-Match: *".'
        )
    case 'if-none-match':
      return ifNoneMatch === '*'
        ? new PreconditionFailedError(
          'If-None-Match is false: the entity exists already',
          'To change it, read it and send its ETag in If-Match.'
        )
        : new PreconditionFailedError(
          'If-None-Match is false: the entity is a version that you named',
          'Read it again.'
        )
  }
}

/** The same for a further entity of the request: its texts name no field, since the headers are not about it. */
export function furtherRefusalError (verdict: Refusal): Error {
  switch (verdict) {
    case 'absent':
      return new EntityAbsentError()
    case 'if-match':
      return new PreconditionFailedError(
        'Another entity that this request depends on was changed meanwhile',
        'Send the request again.'
      )
    case 'if-none-match':
      return new PreconditionFailedError(
        'Another entity that this request creates exists already',
        'Send the request again with another identifier.'
      )
  }
}
