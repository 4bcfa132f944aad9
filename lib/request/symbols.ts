// The names of what the plugin keeps on Fastify's objects: symbols, so that they collide with nobody else's.

/** A registration of the plugin: on an instance the one of its scope, in the config of a route the one that saw it. */
export const kRegistration = Symbol('fastify-if-match.registration')
/** In the config of a route: its guard. */
export const kGuard = Symbol('fastify-if-match.guard')
/** On a request: its reply. */
export const kReply = Symbol('fastify-if-match.reply')
/** On a request: its state, once something asked for it. */
export const kState = Symbol('fastify-if-match.state')
