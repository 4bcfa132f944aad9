/** One kind of request, sent over and over. */
export interface Scenario {
  readonly name: string
  readonly method: 'GET' | 'PUT' | 'PATCH'
  /** The path ahead of the id of the entity. */
  readonly path: string
  /** The precondition, made of the tag of the entity: the current one, or the one before. */
  readonly precondition: (tag: string) => Record<string, string>
  /** The body, made of the document that the entity is. It leaves the entity as that document. */
  readonly body?: (document: string) => string
  /** The status that every answer must have: a wrong answer is no measurement. */
  readonly status: number
  /** Whether each request leaves a new tag behind, which the next one has to name. */
  readonly changesTag: boolean
  /** The precondition names the tag that the entity had before its current one. */
  readonly isStale?: true
  /** All connections send to one entity, in place of one of their own each. */
  readonly isShared?: true
}

export const whole = (document: string): string => document
