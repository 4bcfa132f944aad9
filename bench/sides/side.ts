import type { FastifyInstance } from 'fastify'

export interface OfferRoute { Params: { id: string }, Body: Record<string, unknown> }

/** Something that is measured: an app of ours, or a process that a script starts. */
export interface Side {
  /** Makes the app; files of its storage go into the folder. */
  readonly app?: (folder: string) => Promise<FastifyInstance>
  /** The module of a server that is no app of ours. It tells where it listens by `serve`. */
  readonly script?: string
  /** The scenarios that it has, by name. */
  readonly scenarios: readonly string[]
  /** How it is spoken to; as the other apps by default. */
  readonly dialect?: string
  /** Whether its entities have tags; true by default. */
  readonly hasTags?: boolean
}

/** What every app can do that compares. */
export const COMMON = ['put', 'put-hot', 'put-412', 'put-412-small', 'put-400', 'get', 'get-304', 'patch'] as const
