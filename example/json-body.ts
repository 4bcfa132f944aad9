import type { FastifyInstance } from 'fastify'

/**
 * Takes JSON, and nothing else. Known clients send its content type on requests without a body too (CPP §2), which
 * Fastify's own parser refuses; here that is no body, and the schema of the route says whether it needs one.
 */
export function acceptJsonAlone (app: FastifyInstance): void {
  // Refuses __proto__ and constructor.prototype.
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body !== '') return parse(request, body, done)
    done(null, undefined)
  })
}
