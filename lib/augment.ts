import type { FastifyReply } from 'fastify'
import type { Entity } from './request/entity.js'
import type { GuardedRoute, Registration } from './route/guard.js'
import type { IfMatchRouteOptions } from './options.js'
import type { RequestState } from './request/state.js'
import type { kGuard, kRegistration, kReply, kState } from './request/symbols.js'

/**
 * For TypeScript apps that set the option `decorator`: its value, as `decorator`. Then `request` has the method under
 * that name, and `request.entity` is free for a type of the app.
 *
 * @example
 * declare module 'fastify-if-match' {
 *   interface IfMatchTypes { decorator: 'guarded' }
 * }
 */
export interface IfMatchTypes {}

/** The type of `request.entity`, and of what the option `decorator` calls otherwise. */
export interface EntityDecorator {
  /**
   * An entity to read and write. Without a key, or with the key of the route's own entity, it is the one that the
   * preconditions of the request are about. With another key, writes compare with what was read through this handle, or
   * else with what the request read last.
   *
   * @param key of a further entity, such as `entityKey('/offers/:id', { id })`; 1 to 1,024 bytes of UTF-8
   * @param context goes to the storage adapter as it is, for example a `{ client }` that is inside a transaction. An
   *   adapter that cannot use it refuses each operation of this handle with FST_IF_MATCH_INVALID_OPTIONS (500)
   * @throws FST_IF_MATCH_NOT_GUARDED (500) without a key on a route that is not guarded
   * @throws FST_IF_MATCH_INVALID_KEY (400)
   * @throws FST_IF_MATCH_INVALID_OPTIONS (500) if the key is not a string
   */
  <T = unknown> (key?: string, context?: unknown): Entity<T>
}

type Decorator = IfMatchTypes extends { decorator: infer Name extends string } ? Name : 'entity'
type Decorated = Readonly<Record<Decorator, EntityDecorator>>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Guards the route: `true`, or options of its own; `false` opts out of `global`. */
    ifMatch?: boolean | IfMatchRouteOptions
    [kRegistration]?: Registration
    [kGuard]?: GuardedRoute | undefined
  }

  interface FastifyInstance {
    [kRegistration]?: Registration
  }

  interface FastifyRequest extends Decorated {
    [kReply]?: FastifyReply
    [kState]?: RequestState
  }
}
