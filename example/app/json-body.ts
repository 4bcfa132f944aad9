import type { FastifyInstance } from 'fastify'
import { ApiError } from './errors.js'

/**
 * Takes JSON, and nothing else. Known clients send its content type on requests without a body too (CPP §2), which
 * Fastify's own parser refuses; here that is no body, and the schema of the route says whether it needs one. What is not
 * UTF-8 is refused: decoded anyway, it would come back as something else than was PUT.
 */
export function acceptJsonAlone (app: FastifyInstance): void {
  // Refuses __proto__. Nothing here assigns to what a key called constructor names, so it is one like any other.
  const parse = app.getDefaultJsonParser('error', 'ignore')
  const parseAny = app.getDefaultJsonParser('ignore', 'ignore')
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const coding = request.headers['content-encoding'] ?? 'identity'
    if (coding.toLowerCase() !== 'identity') { return done(new ApiError(415, 'UnsupportedMediaType', 'This server takes bodies without a content-encoding.')) }
    if (body.length === 0) return done(null, undefined)
    let text: string
    try {
      text = utf8.decode(body)
    } catch {
      return done(new ApiError(400, 'BadRequest', 'The body is not UTF-8.'))
    }
    return parse(request, text, (error, document) => {
      if (error === null) return done(null, document)
      // Fastify has one answer for what is not JSON and for what is, with such a name in it.
      return parseAny(request, text, (unreadable) => {
        done(
          unreadable ??
            new ApiError(
              400,
              'BadRequest',
              'The body has a member named "__proto__", which this server does not keep. Give it another name.'
            )
        )
      })
    })
  })
}
