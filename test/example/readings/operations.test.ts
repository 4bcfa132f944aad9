import t from 'tap'
import { codeOf, newApp, OFFER, send } from '../../support/example/app.js'
import { newPublisher, TO_SIGN_OFF } from '../../support/example/publisher.js'

const ADDRESS = new RegExp(
  '^/api/publishers/contoso/offers/tide-db/operations/[\\da-f]{8}(-[\\da-f]{4}){3}-[\\da-f]{12}' +
    '\\?api-version=2017-10-31$'
)
const METADATA = { metadata: { 'notification-emails': 'ann@example.org,bob@example.org' } }

/** An offer that the certification rejects. */
const FLAWED = {
  ...OFFER,
  definition: {
    displayText: 'x',
    plans: [{ planId: 'a', 'microsoft-azure-virtualmachines.vmImages': { '1.0.0': {} } }]
  }
}

await t.test('reading 24: 202 has the address of the operation, relative, in two headers, and the operation as its body', async (t) => {
  const { app, put, act, pass } = await newPublisher(t)
  await put()
  const follow = async (action: 'publish' | 'golive' | 'cancel'): Promise<void> => {
    const response = await act(action, { 'if-match': '*' }, METADATA)
    const { location } = response.headers
    t.equal(response.statusCode, 202, action)
    t.match(location, ADDRESS)
    t.equal(response.headers['operation-location'], location)
    t.equal((await send(app, 'GET', location!)).body, response.body, 'as it is when followed')
  }
  await follow('publish')
  pass(TO_SIGN_OFF)
  await follow('golive')
  await follow('cancel')
})

await t.test('reading 25: the status of an operation, whether it can be canceled, and the step in which it ended', async (t) => {
  const { app, put, act, pass } = await newPublisher(t)
  await put()
  const outcome = async (location: string) => {
    const { status, cancellationRequestState, steps, messages } = (await send(app, 'GET', location)).json()
    const statuses = steps.map((step: { status: string }) => step.status).join(' ')
    return [status, cancellationRequestState, statuses, messages.length]
  }
  const publish = async (): Promise<string> => (await act('publish')).headers.location as string
  const complete = (count: number): string => 'complete '.repeat(count)

  let location = await publish()
  t.strictSame(await outcome(location), ['running', 'canCancel', 'inProgress' + ' notStarted'.repeat(5), 0])
  pass(2)
  await act('cancel')
  pass(10)
  const canceled = complete(2) + 'canceled' + ' notStarted'.repeat(3)
  t.strictSame(await outcome(location), ['canceled', 'canceled', canceled, 0])

  location = await publish()
  pass(TO_SIGN_OFF)
  const waiting = complete(4) + 'waitingForPublisherReview notStarted'
  t.strictSame(await outcome(location), ['running', 'canCancel', waiting, 0])
  await act('cancel')
  t.strictSame(await outcome(location), ['canceled', 'canceled', complete(4) + 'canceled notStarted', 0])

  location = await publish()
  pass(TO_SIGN_OFF)
  await act('golive')
  t.strictSame(await outcome(location), ['running', 'canCancel', complete(5) + 'inProgress', 0])
  pass(1)
  t.strictSame(await outcome(location), ['complete', 'cannotCancel', complete(6).trim(), 0])

  await put(FLAWED)
  location = await publish()
  pass(TO_SIGN_OFF)
  t.strictSame(await outcome(location), ['failed', 'cannotCancel', 'complete rejected' + ' notStarted'.repeat(4), 1])
})

await t.test('reading 26: submissions, their states and slots, the two names of the filter, and a version of 18 digits', async (t) => {
  const { send, get, put, act, pass } = await newPublisher(t)
  await put()
  t.strictSame(await get('/tide-db/submissions'), [])
  const seen = async () =>
    (await get('/tide-db/submissions')).map(
      ({ submissionState, slot, publishingVersion }: Record<string, unknown>) =>
        `${publishingVersion} ${submissionState} ${slot}`
    )
  await act('publish')
  await act('cancel')
  await act('publish')
  pass(TO_SIGN_OFF)
  t.strictSame(await seen(), ['2 running preview', '1 canceled preview'])
  await act('golive')
  t.strictSame(await seen(), ['2 running production', '1 canceled preview'])
  pass(1)
  await put(FLAWED)
  await act('publish')
  pass(2)
  t.strictSame(await seen(), ['3 failed preview', '2 succeeded production', '1 canceled preview'])

  for (const [query, versions] of [
    ['status=canceled', [1]],
    ['submissionState=canceled', [1]],
    ['status=canceled&submissionState=failed', [3]],
    ['submissionState=failed&status=canceled', [3]],
    ['status=none', []],
    ['submissionState=', []]
  ] as const) {
    const filtered: Array<{ publishingVersion: number }> = await get(`/tide-db/submissions/?${query}`)
    t.strictSame(filtered.map(({ publishingVersion }) => publishingVersion), versions, query)
  }

  const text = (await send('GET', '/tide-db/submissions')).body
  const versions = [...text.matchAll(/"version":(\d+)/g)].map(([, digits]) => digits!)
  t.strictSame(versions.map((digits) => digits.length), [18, 18, 18])
  t.notOk(Number.isSafeInteger(Number(versions[0])))
  // The ticks of .NET, and changedTime, tell the same moment.
  const [{ changedTime }] = JSON.parse(text)
  t.equal(BigInt(versions[0]!), BigInt(Date.parse(changedTime)) * 10_000n + 621_355_968_000_000_000n)
})

await t.test('reading 27: the older address of an operation; which slot it names makes no difference', async (t) => {
  const { app, put, act, pass } = await newPublisher(t)
  await put()
  const published = await act('publish')
  pass(1)
  const read = async (id: string) => await send(app, 'GET', `/api/operations/${id}?api-version=2017-10-31`)
  const newer = (await send(app, 'GET', published.headers.location as string)).json()
  for (const id of ['contoso$tide-db$1$preview', 'contoso%24tide-db%241%24PREVIEW', 'contoso$tide-db$1$production']) {
    t.strictSame((await read(id)).json(), newer, id)
  }
  for (const [id, expected] of Object.entries({
    contoso$other$1$preview: '404 OfferNotFound',
    'fabrikam$tide-db$1$preview': '403 Forbidden',
    'CONTOSO$tide-db$1$preview': '403 Forbidden',
    'contoso$tide-db$2$preview': '404 OperationNotFound',
    'contoso$tide-db$0$preview': '404 OperationNotFound',
    'contoso$tide-db$1': '404 OperationNotFound',
    'contoso$tide-db$1$draft': '404 OperationNotFound',
    'contoso$tide-db$one$preview': '404 OperationNotFound',
    'contoso$tide-db$01$preview': '404 OperationNotFound',
    '$tide-db$1$preview': '404 OperationNotFound',
    contoso$$1$preview: '404 OperationNotFound',
    x: '404 OperationNotFound',
    contoso$a$b$1$preview: '404 OperationNotFound'
  })) {
    const refused = await read(id)
    t.equal(`${refused.statusCode} ${codeOf(t, refused)}`, expected, id)
  }
})

await t.test('reading 28: e-mail addresses are kept and shown; null is none, and so is a missing body', async (t) => {
  const { get, put, act, pass } = await newPublisher(t)
  await put()
  t.equal((await get('/tide-db/status')).notificationEmails, '')
  await act('publish', undefined, METADATA)
  pass(TO_SIGN_OFF)
  const shown = async () => [
    (await get('/tide-db/status')).notificationEmails,
    (await get('/tide-db/submissions'))[0].definition.metadata.emails
  ]
  const emails = 'ann@example.org,bob@example.org'
  t.strictSame(await shown(), [emails, emails])
  const live = await act('golive', undefined, { metadata: { 'notification-emails': 'eve@example.org' } })
  t.equal(live.json().notificationEmails, emails, 'golive reuses those of publish')
  t.strictSame(await shown(), [emails, emails])
  pass(1)

  const publish = async (body: string | undefined) =>
    await act('publish', { 'if-match': '*', 'content-type': 'application/json' }, body)
  const withEmails = (emails: string): string => JSON.stringify({ metadata: { 'notification-emails': emails } })
  t.equal((await publish(' ')).statusCode, 400)
  t.equal((await publish(withEmails('x'.repeat(2001)))).statusCode, 400)
  t.equal((await publish(withEmails('x'.repeat(2000)))).statusCode, 202)
  for (const body of [undefined, '', '{}', '{"metadata":{}}', '{"metadata":{"notification-emails":null}}']) {
    await act('cancel')
    const response = await publish(body)
    t.strictSame([response.statusCode, response.json().notificationEmails], [202, ''], String(body))
  }
})

await t.test('the publishers of a token, and the types of offers, are entries with an id, a version and a definition', async (t) => {
  const app = await newApp(t)
  const read = async (path: string) => (await send(app, 'GET', `/api/${path}?api-version=2017-10-31`)).json()
  const types = ['microsoft-azure-virtualmachines', 'microsoft-azure-corevm']
  t.strictSame(await read('publishers'), [
    { id: 'contoso', version: 0, definition: { displayText: 'contoso', offerTypeCategories: types, sellerId: 0 } }
  ])
  t.strictSame((await read('offerTypes')).map(({ id }: { id: string }) => id), types)
})
