/**
 * What went wrong with a request, as far as it makes a difference here.
 *
 * - `UNREACHABLE`: nothing was sent
 * - `LOST`: it was sent, and no answer came, or an answer that does not tell whether it was carried out
 * - `BUSY`: the endpoint refused it before it was carried out; another endpoint may take it
 * - `NO_SPACE`: the quota is used up. Nearly always refused before it was carried out
 * - `TOKEN`, `AUTH`, `TOO_LARGE`, `COMPACTED`, `REFUSED`: checked, and refused before it was carried out
 * - `DENIED`, `WRONG`: the same, by a mistake: the user lacks the right, or the request is none that this etcd takes
 */
export type EtcdFaultKind =
  'UNREACHABLE' | 'LOST' | 'BUSY' | 'NO_SPACE' | 'TOKEN' | 'AUTH' | 'TOO_LARGE' | 'COMPACTED' | 'REFUSED' | 'DENIED' |
  'WRONG'

/** A request to etcd that failed. Its message is for the log: what happened, and what to do about it. */
export class EtcdFault extends Error {
  readonly kind: EtcdFaultKind

  constructor (kind: EtcdFaultKind, what: string, options?: ErrorOptions) {
    super(`etcd: ${what}`, options)
    this.kind = kind
  }

  /** Whether the request certainly changed nothing, and never will (engine-facts#etcd-uncertain-errors). */
  get isCertain (): boolean {
    return this.kind !== 'LOST' && this.kind !== 'NO_SPACE'
  }

  /** Whether trying again does not help, because the rights or the request are wrong (decision 0018). */
  get isMistake (): boolean {
    return this.kind === 'DENIED' || this.kind === 'WRONG'
  }

  /** Whether another endpoint may do better. */
  get isOfEndpoint (): boolean {
    return this.kind === 'UNREACHABLE' || this.kind === 'LOST' || this.kind === 'BUSY'
  }
}

// Texts of etcd (api/v3rpc/rpctypes/error.go), which are part of its API; the first that fits counts.
const KNOWN: ReadonlyArray<[text: RegExp, kind: EtcdFaultKind, what: string]> = [
  [/too many requests/, 'BUSY', 'it has too many requests to do.'],
  [
    /database space exceeded/,
    'NO_SPACE',
    'its space quota is used up, and it takes no writes until an operator acts: ' +
    'compact, defragment, then disarm the alarm, or raise --quota-backend-bytes.'
  ],
  [/invalid auth token|revision of auth store is old/, 'TOKEN', 'the token of the login is not valid any more.'],
  [/user name is empty/, 'AUTH', 'it asks for a login. Give the option "auth".'],
  [/invalid user ID or password/, 'AUTH', 'it does not know this user with this password. Check the option "auth".'],
  [
    /authentication is not enabled/,
    'AUTH',
    'its authentication is turned off. Leave the option "auth" out, or turn it on.'
  ],
  [/permission denied/, 'DENIED', 'the user may not read and write under the prefix. Grant a role that may.'],
  [/request is too large|message larger than max/, 'TOO_LARGE', 'the request is larger than it takes.'],
  [/revision has been compacted/, 'COMPACTED', 'that revision was compacted.']
]

// Codes of gRPC for a request that a check refuses: INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED,
// FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED, UNAUTHENTICATED. Any other may come while it is carried out.
const CHECKED = [3, 5, 7, 8, 9, 11, 12, 16]

// Of them, those that no later moment mends: all but RESOURCE_EXHAUSTED, FAILED_PRECONDITION and UNAUTHENTICATED.
const WRONG = [3, 5, 7, 11, 12]

/** The fault of an answer that etcd does not give: a proxy may answer in its place, with status 200 as well. */
export function strangeAnswer (status = 200): EtcdFault {
  const which = status === 200 ? 'the answer' : `the answer, of status ${status},`
  return new EtcdFault('LOST', `${which} is none of its gateway. Check the endpoints, and what stands between.`)
}

/** The fault that an answer of another status than 200 tells of. */
export function faultOfAnswer (status: number, text: string): EtcdFault {
  const { code, message } = errorIn(text)
  if (code === undefined) return strangeAnswer(status)
  const known = KNOWN.find(([pattern]) => pattern.test(message))
  if (known !== undefined) return new EtcdFault(known[1], known[2])
  return CHECKED.includes(code)
    ? new EtcdFault(WRONG.includes(code) ? 'WRONG' : 'REFUSED', `it refuses the request: ${message}`)
    : new EtcdFault('LOST', `it gave no result: ${message}`)
}

function errorIn (text: string): { code?: number, message: string } {
  try {
    const { code, message, error } = JSON.parse(text) as { code?: unknown, message?: unknown, error?: unknown }
    return { ...typeof code === 'number' && { code }, message: String(message ?? error) }
  } catch {
    return { message: '' }
  }
}
