import t from 'tap'
import {
  ConflictError, errorOf, MissingTagError, OutcomeUnknownError, RequestError
} from '../../../lib/client/errors.js'

const PUT = { method: 'PUT', url: '/1', headers: {} }

await t.test('an error has the code and the words of the server, in each form that servers of this plugin answer', async (t) => {
  const bodies: object[] = [
    { statusCode: 409, code: 'TAKEN', error: 'Conflict', message: 'It is taken' },
    { type: 'about:blank', status: 409, code: 'TAKEN', detail: 'It is taken' },
    { error: { code: 'TAKEN', message: 'It is taken' } }
  ]
  for (const body of bodies) {
    const error = errorOf(PUT, { status: 409, text: JSON.stringify(body), retryAfter: 5 })
    const message = 'PUT /1: 409 It is taken'
    t.match(error, { name: 'RequestError', code: 'TAKEN', status: 409, message, body, retryAfter: 5 })
    t.ok(error instanceof RequestError && error instanceof Error)
  }
})

await t.test('an answer without a code has its status for one, whatever its body is', async (t) => {
  for (const text of [undefined, '', '<html>', 'null', '5', '{"code":7}', '[]']) {
    const error = errorOf(PUT, { status: 502, text })
    t.match(error, { code: 'HTTP_502', message: 'PUT /1: 502', status: 502 }, String(text))
  }
})

await t.test('words that are no texts stay out of the message, whatever they are', async (t) => {
  for (const text of ['{"message":{"toString":null}}', '{"error":{"detail":[]}}', '{"detail":5}', '{"error":null}']) {
    t.match(errorOf(PUT, { status: 500, text }), { code: 'HTTP_500', message: 'PUT /1: 500' }, text)
  }
  const text = '{"detail":{"toString":null},"message":"It is taken"}'
  t.equal(errorOf(PUT, { status: 409, text }).message, 'PUT /1: 409 It is taken')
})

await t.test('412 is a conflict, and no answer has no status', async (t) => {
  t.ok(errorOf(PUT, { status: 412 }) instanceof ConflictError)
  const cause = new TypeError('fetch failed')
  t.match(errorOf(PUT, { status: 0, cause }), { code: 'NO_ANSWER', message: 'PUT /1: no answer', cause })
  t.equal(errorOf(PUT, { status: 0 }).status, undefined)
})

await t.test('each class has its name, which a bundler does not shorten, and is a RequestError', async (t) => {
  const classes = { ConflictError, MissingTagError, OutcomeUnknownError, RequestError }
  for (const [name, Class] of Object.entries(classes)) {
    const error = new Class('CODE', 'message', { status: 500, cause: 'why' })
    t.match(error, { name, code: 'CODE', message: 'message', status: 500, cause: 'why' })
    t.ok(error instanceof RequestError)
  }
})
