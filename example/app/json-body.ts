import type { FastifyInstance } from 'fastify'
import { changedByParsing } from './changed-by-parsing.js'
import { ApiError } from './errors.js'
import { overloadedByNow } from './pressure.js'

/**
 * Takes JSON, and nothing else. An empty body counts as no body (reading 37), which Fastify's own parser refuses
 * (engine-facts#fastify-empty-json-body); the schema of the route says whether it needs one. A body that is not UTF-8
 * is refused: decoded all the same, it would come back as something else than was PUT. So is JSON of which JavaScript
 * would keep something else (decision 0019).
 */
export function acceptJsonAlone (app: FastifyInstance): void {
  // __proto__ is refused. No code here assigns to what a key called constructor names, so that key is like any other.
  const parse = app.getDefaultJsonParser('error', 'ignore')
  const parseAnyName = app.getDefaultJsonParser('ignore', 'ignore')
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const overloaded = overloadedByNow(request)
    if (overloaded !== undefined) return done(overloaded)
    const coding = request.headers['content-encoding'] ?? 'identity'
    if (coding.toLowerCase() !== 'identity') return done(encodedBody())
    if (body.length === 0) return done(null, undefined)
    let text: string
    try {
      text = utf8.decode(body)
    } catch {
      return done(badRequest('The body is not UTF-8.'))
    }
    return parse(request, text, (error, document) => {
      if (error === null) {
        const change = changedByParsing(text)
        return change === undefined ? done(null, document) : done(badRequest(change))
      }
      // Fastify has one error for a text that is not JSON and for JSON with a name that is refused.
      return parseAnyName(request, text, (notJson) => { done(notJson ?? refusedName()) })
    })
  })
}

function encodedBody (): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', 'This server takes bodies without a content-encoding.')
}

function refusedName (): ApiError {
  return badRequest(
    'The body has a member named "__proto__", which this server does not keep. Give it another name.'
  )
}

function badRequest (message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}
