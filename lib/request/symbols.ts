// What hangs on Fastify's objects, out of the way of everyone else's names.

/** On an instance: the registration that holds in its scope. */
export const kRegistration = Symbol('fastify-if-match.registration')
/** In the config of a route: how it is guarded. */
export const kGuard = Symbol('fastify-if-match.guard')
/** On a request: its reply, and its state once something asked for it. */
export const kReply = Symbol('fastify-if-match.reply')
export const kState = Symbol('fastify-if-match.state')
