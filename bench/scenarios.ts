/** One kind of request, sent over and over. */
export interface Scenario {
  readonly name: string
  readonly method: 'GET' | 'PUT'
  /** The precondition, made of the tag of the entity. */
  readonly precondition: (tag: string) => Record<string, string>
  /** The status that every answer must have: a wrong answer is no measurement. */
  readonly status: number
  /** Whether each request leaves a new tag behind, which the next one has to name. */
  readonly changesTag: boolean
  /** All connections send to one entity, in place of one of their own each. */
  readonly isShared?: true
}

/** The tag of a state that no entity was ever in. */
export const STALE = '"stale"'

/** What is measured: both ends of a write, both ends of a read, and a crowd that writes one entity. */
export const scenarios: readonly Scenario[] = [
  { name: 'PUT', method: 'PUT', precondition: (tag) => ({ 'if-match': tag }), status: 200, changesTag: true },
  { name: '412', method: 'PUT', precondition: () => ({ 'if-match': STALE }), status: 412, changesTag: false },
  { name: 'GET', method: 'GET', precondition: () => ({}), status: 200, changesTag: false },
  { name: '304', method: 'GET', precondition: (tag) => ({ 'if-none-match': tag }), status: 304, changesTag: false },
  {
    name: 'hot',
    method: 'PUT',
    precondition: () => ({ 'if-match': '*' }),
    status: 200,
    changesTag: false,
    isShared: true
  }
]
