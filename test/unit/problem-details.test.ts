import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorCodes, problemDetails, type CurrentEntity, type RefusalFacts } from '../../lib/index.js'
import { withFacts } from '../../lib/refusal-error.js'

const PAGE = 'https://github.com/fastify-if-match/fastify-if-match/blob/main/docs/reference/problems.md#'
const {
  FST_IF_MATCH_CONSTRAINT: ConstraintError,
  FST_IF_MATCH_CONTENT_RANGE: ContentRangeError,
  FST_IF_MATCH_CONTENTION: ContentionError,
  FST_IF_MATCH_ENTITY_ABSENT: EntityAbsentError,
  FST_IF_MATCH_INVALID_KEY: InvalidKeyError,
  FST_IF_MATCH_INVALID_VALUE: InvalidValueError,
  FST_IF_MATCH_MALFORMED: MalformedError,
  FST_IF_MATCH_OUTCOME_UNKNOWN: OutcomeUnknownError,
  FST_IF_MATCH_PRECONDITION_FAILED: PreconditionFailedError,
  FST_IF_MATCH_REQUIRED: RequiredError,
  FST_IF_MATCH_STORAGE_UNAVAILABLE: StorageUnavailableError
} = errorCodes

const current: CurrentEntity = { version: 'c', etag: '"c"', read: async () => { throw new Error('not asked for') } }

function refused (facts: Partial<RefusalFacts>): Error {
  const all = { reason: 'mismatch', field: 'If-Match', isWeak: false, current, ownWrite: undefined, ...facts } as const
  return withFacts(new PreconditionFailedError('It is false', 'Read it again.'), all)
}

await t.test('problem details: each error that a client can do something about has a type with a page (RFC 9457 3.1.1)', async (t) => {
  const page = readFileSync('docs/reference/problems.md', 'utf8')
  const types = new Set<string>()
  for (const [error, type, status] of [
    [new RequiredError(''), 'missing', 400],
    [new MalformedError('If-Match'), 'malformed', 400],
    [refused({}), 'mismatch', 412],
    [refused({ reason: 'absent', current: undefined }), 'absent', 412],
    [new EntityAbsentError(), 'absent', 404],
    [refused({ reason: 'exists' }), 'exists', 412],
    [new ConstraintError(), 'conflict', 409],
    [new ContentionError(48), 'contention', 503],
    [new StorageUnavailableError(), 'unavailable', 503],
    [new OutcomeUnknownError(), 'unknown', 503],
    [new InvalidKeyError('is empty'), 'invalid-key', 400],
    [new InvalidValueError('it has an infinite number'), 'invalid-value', 422],
    [new ContentRangeError(), 'partial-content', 400]
  ] as const) {
    const problem = problemDetails(error)
    t.match(problem, { type: PAGE + type, status, detail: error.message, code: (error as { code?: string }).code! })
    t.not(problem.title, 'about:blank')
    t.match(page, new RegExp(`^## ${type}$`, 'm'), 'the page has a heading for it')
    t.ok(page.includes(problem.title), `the page has the title: ${problem.title}`)
    types.add(type)
  }
  t.strictSame([...page.matchAll(/^## (.+)$/gm)].map(([, type]) => type).sort(), [...types].sort())
  t.equal(problemDetails(refused({}), { base: 'https://example.com/problems/' }).type, 'https://example.com/problems/mismatch')
  t.match(problemDetails(refused({}), { instance: '/offers/1' }), { type: `${PAGE}mismatch`, instance: '/offers/1' })
})

await t.test('problem details: a refusal tells the false field and the current tag, and never what is stored (RFC 9457 3.2)', async (t) => {
  t.same(problemDetails(refused({ isWeak: true, ownWrite: 'superseded' })), {
    type: `${PAGE}mismatch`,
    title: 'The entity is another version',
    status: 412,
    detail: 'It is false, so the request was refused. Read it again.',
    code: 'FST_IF_MATCH_PRECONDITION_FAILED',
    field: 'If-Match',
    etag: '"c"',
    isWeak: true,
    ownWrite: 'superseded'
  })
  t.strictSame(Object.keys(problemDetails(refused({ field: undefined, current: undefined }))).sort(),
    ['code', 'detail', 'status', 'title', 'type'])
  t.match(problemDetails(new RequiredError('')), { field: 'If-Match' })
})

await t.test('problem details: what has no type of ours has the phrase of its status as the title (RFC 9457 4.2.1)', async (t) => {
  const error = new errorCodes.FST_IF_MATCH_NOT_WRITTEN('PUT', '/offers/:id')
  t.match(problemDetails(error), {
    type: 'about:blank', title: 'Internal Server Error', status: 500, detail: error.message, code: error.code
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
  t.match(problemDetails(Object.assign(new Error('not yours'), { status: 403 })), { status: 403, detail: 'not yours' })
  t.equal(problemDetails({ statusCode: 599 }).title, 'Error')
})

await t.test('problem details: a thrown value that is no error becomes a 500', async (t) => {
  for (const thrown of [undefined, null, 'text', 7, { statusCode: 600 }, { statusCode: '404' }]) {
    t.match(problemDetails(thrown), { status: 500, detail: 'Internal Server Error' })
  }
  t.equal(problemDetails({ statusCode: 200, message: 'no error' }).status, 500)
  t.equal(problemDetails({ statusCode: 404 }).detail, '')
})
