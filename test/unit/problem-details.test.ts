import t from 'tap'
import { errorCodes, problemDetails } from '../../lib/index.js'

await t.test('problem details: about:blank with the status phrase, and our code (RFC 9457 3, 4.2.1)', async (t) => {
  const error = new errorCodes.FST_IF_MATCH_PRECONDITION_FAILED('If-Match is false', 'Read it again.')
  t.same(problemDetails(error), {
    type: 'about:blank',
    title: 'Precondition Failed',
    status: 412,
    code: 'FST_IF_MATCH_PRECONDITION_FAILED',
    detail: error.message
  })
  t.match(problemDetails(error, { base: 'https://example.com/problems#', instance: '/offers/1' }), {
    type: 'https://example.com/problems#fst_if_match_precondition_failed', instance: '/offers/1'
  })
})

await t.test('problem details: an error of the server without a code of ours or of Fastify shows its status alone', async (t) => {
  t.same(problemDetails(new Error('password=hunter2'), { base: 'https://example.com/' }), {
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    detail: 'Internal Server Error'
  })
  t.same(problemDetails(Object.assign(new Error('secret'), { code: 'ECONNREFUSED', statusCode: 503 })), {
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    detail: 'Service Unavailable'
  })
})

await t.test('problem details: an error of the app below 500 keeps its message', async (t) => {
  t.same(problemDetails(Object.assign(new Error('not yours'), { statusCode: 403 })), {
    type: 'about:blank',
    title: 'Forbidden',
    status: 403,
    detail: 'not yours'
  })
  t.equal(problemDetails({ statusCode: 599 }).title, 'Error')
})

await t.test('problem details: a thrown value that is no error becomes a 500', async (t) => {
  for (const thrown of [undefined, null, 'text', 7]) t.same(problemDetails(thrown).status, 500)
  t.equal(problemDetails({ statusCode: 200, message: 'no error' }).status, 500)
})
