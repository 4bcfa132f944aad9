import type { Answer } from '../load/answer.js'
import type { Request } from '../load/request.js'
import type { Scenario } from '../scenarios/index.js'

/** How a server is spoken to. */
export interface Dialect {
  /** Creates the entity, or replaces it. */
  create (id: number, document: string): Request
  /** Reads the entity. */
  read (id: number): Request
  /** The request of a scenario, of which the precondition names this tag. */
  request (scenario: Scenario, id: number, tag: string, document: string): Request
  /** The status of the scenario's answers. */
  status (scenario: Scenario): number
  /** The tag of the entity after `create`, `read` or a write that was applied; undefined: the answer lacks it. */
  tagOf (answer: Answer): string | undefined
  /** The document that an answer to `read` has. */
  documentOf (answer: Answer): string
}
