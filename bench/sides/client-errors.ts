import createError from '@fastify/error'

// Without a stack, as the errors of the plugin.
export const StaleError = createError('STALE', 'The entity has changed.', 412, Error, false)
export const MissingError = createError('MISSING', 'Send If-Match.', 400, Error, false)
