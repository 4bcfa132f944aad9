import type { FastifyReply } from 'fastify'
import type { Compare } from './http/precondition.js'
import type { GlobalRoute, OnRefused, Representation, ResendOptions, RouteRequest } from './option-functions.js'
import type { StorageAdapter } from './storage/adapter.js'

/**
 * What becomes of a state-changing request without `If-Match`: it is refused, 400 or 428 (RFC 6585), or it is let
 * through, and the last write wins. `'warn'` also logs a line.
 */
export type Missing = 400 | 428 | 'allow' | 'warn'

/** What a route may say in `config.ifMatch`, and the options of the plugin for all its routes. Those of a route win. */
export interface IfMatchRouteOptions {
  /** The storage adapter. Required with the plugin. */
  storage?: StorageAdapter<any>
  /**
   * Which entity a route acts on: a pattern over its parameters, such as `'/offers/:id'`, or a function of the request.
   * Default: the pattern of the route, with all prefixes; so a prefix that is added or changed later loses what was
   * stored before, unless the key is named. In a pattern, each decoded parameter goes through `encodeURIComponent`. The
   * string that a function returns is the key as it is.
   */
  key?: string | ((request: RouteRequest) => string)
  /**
   * The answer to a state-changing request without `If-Match`: 400 (default) or 428 (RFC 6585). With `'allow'` such a
   * request writes without a comparison, the last write wins, and a PUT creates unless `create` is `false`. `'warn'`
   * does the same, and logs a line with the method and the pattern of the route.
   *
   * A function decides for each request. It is asked once, and only about a request without the header: behind all
   * preHandler hooks of the app, so that it knows the caller, or when a hook of the app writes. A function that throws,
   * or returns anything else, a promise for example, is FST_IF_MATCH_INVALID_OPTIONS (500), and nothing is written.
   */
  missing?: Missing | ((request: RouteRequest) => Missing)
  /**
   * Which request may create: none (`false`), one with `If-None-Match: *` (`'if-none-match'`, default), or one with
   * `If-Match: *` too (`'wildcard'`, a deviation from RFC 9110 13.1.1). The option of the plugin is about PUT alone.
   * That of a route is about all its state-changing methods but DELETE.
   */
  create?: false | 'if-none-match' | 'wildcard'
  /** The answer to `If-Match` if the entity is absent and the route may not create it: 404 (default) or 412. */
  absent?: 404 | 412
  /**
   * How the tags of a request are compared: `'strong'` (default, RFC 9110 8.8.3.2); `'opaque'` accepts in `If-Match`
   * tags that a gateway marked weak; a function returns each tag without what a gateway appended. The latter two
   * deviate from the RFC.
   */
  compare?: Compare
  /**
   * Whether to compare before the handler runs, which costs a read (default `true`). The write decides in any case.
   * `false` keeps 404, 412 and the tag behind checks of permission that are inside the handler.
   */
  precheck?: boolean
  /**
   * When a GET or HEAD whose client has a current copy becomes a 304: when the success of its handler is about to leave
   * (`'late'`, default), with the headers that the handler sets (RFC 9110 15.4.5), or ahead of the handler
   * (`'early'`), which is not entered then, and no value is read. What the handler checks, counts or sets is not done,
   * so permission is checked in hooks. It has no effect with `precheck: false`, and on a route with a `variant`: which
   * one the answer is may be settled by the handler.
   */
  notModified?: 'late' | 'early'
  /**
   * Names the variant of the entity that an answer is, such as `'csv'`, where one address has several. It is asked when
   * the success of a read is about to leave, and the name becomes a part of its `ETag`. Undefined: the only variant, or
   * the main one. A name is visible ASCII without `"`, `\` and `;`, and not that of a content-coding.
   */
  variant?: (request: RouteRequest, reply: FastifyReply) => string | undefined
  /**
   * Gives a write that was sent again, after its answer was lost, the success of the first one (RFC 9110 13.1.1), and
   * never applies it twice; `false` (default): it is 412. It is the same write if its caller, method, address, tags and
   * content are those of the write that made the current version; or its caller, its `Idempotency-Key` and content. The
   * storage keeps `replaced` and `digest`. Writes under `*`, writes without a header and removals have no part in it.
   */
  resend?: false | ResendOptions
  /**
   * Whether a 412 may show what is stored to a client that asks for it by `Prefer: return=representation` (RFC 7240
   * 4.2, RFC 8144 3): `false` (default), or a function that makes of the entity what a GET shows this caller, and
   * returns nothing where this caller may not read it.
   */
  representation?: false | Representation
  /** Told of each request that was refused, once, when the answer is out: for logs and counters. */
  onRefused?: OnRefused
}

/** The options of the plugin. */
export interface IfMatchOptions extends IfMatchRouteOptions {
  storage: StorageAdapter<any>
  /**
   * Which routes of the scope to guard that do not say `config.ifMatch` (default `false`: none). `true`: all, by their
   * state-changing methods. A list, such as `['PUT', 'DELETE']`: by these methods. A function is asked while the app
   * boots, once for each state-changing method of a route. A route with a wildcard must say `config.ifMatch` itself.
   */
  global?: boolean | readonly string[] | ((route: GlobalRoute) => boolean)
  /**
   * The name of `request.entity()` (default `'entity'`), for an app that has another decorator of that name. Its type
   * follows the interface `IfMatchTypes`.
   */
  decorator?: string
}
