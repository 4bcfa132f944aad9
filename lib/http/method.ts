// The methods registered as safe (RFC 9110 18.2). They change no representation, so they need no strategy.
const READS = new Set(['GET', 'HEAD', 'PROPFIND', 'QUERY', 'REPORT', 'SEARCH'])

// They never evaluate preconditions (RFC 9110 13.2.1).
const EXEMPT = new Set(['CONNECT', 'OPTIONS', 'TRACE'])

/** How a method deals with preconditions: it reads under them, writes under them, or ignores them. */
export type MethodKind = 'read' | 'write' | 'exempt'

/** The kind of a method; one that is not known to be safe counts as a write. */
export function methodKind (method: string): MethodKind {
  if (READS.has(method)) return 'read'
  return EXEMPT.has(method) ? 'exempt' : 'write'
}

/** Whether a false `If-None-Match` is answered 304, not 412 (RFC 9110 13.2.2). */
export function answersNotModified (method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}
