import t from 'tap'
import { OFFER, TYPE } from '../../support/example/app.js'
import { clientOf, poll, serveOverHttp } from '../../support/example/client.js'
import { withEachStorage } from '../../support/example/storage.js'

// devigned/pub, in Go, 2019 to 2022. It sends a JSON content type with everything, If-Match with PUT alone, and always
// `*`; takes any status up to 299 for success; and follows Operation-Location behind its own host.

await withEachStorage(t, 'pub: put, publish, watch the operation, show, go live, cancel, list', async (t, storage) => {
  const origin = await serveOverHttp(t, { storage, actionsIfMatch: 'optional' })
  const request = clientOf(`${origin}/`, { authorization: 'Bearer contoso-token', 'content-type': 'application/json' })
  const O = 'api/publishers/contoso/offers/tide-db'
  const V = 'api-version=2017-10-31'

  const execute = async (
    method: string,
    path: string,
    document?: unknown,
    headers: Record<string, string> = {}
  ): Promise<{ response: Response, body: any }> => {
    // The host of this client ends in a slash, so the path loses its own.
    const response = await request(method, path.replace(/^\//, ''), headers, document)
    const text = await response.text()
    if (response.status > 299) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return { response, body: JSON.parse(text) }
  }
  const get = async (path: string) => (await execute('GET', path)).body
  const operationOf = async (action: string, document?: unknown): Promise<string> =>
    (await execute('POST', `${O}/${action}?${V}`, document)).response.headers.get('operation-location')!
  const metadata = { metadata: { 'notification-emails': 'ann@example.org,bob@example.org' } }

  // Its document has an etag, which it sends back in the body.
  const document = { ...OFFER, publisherId: 'contoso', id: 'tide-db', version: 0, etag: '' }
  const created = await execute('PUT', `${O}?${V}`, document, { 'if-match': '*' })
  t.match(created.body, { id: 'tide-db', status: 'neverPublished', version: 0 })
  const shown = await execute('GET', `${O}?${V}`)
  const etag = shown.response.headers.get('etag')
  t.ok(etag)
  const saved = (await execute('PUT', `${O}?${V}`, { ...shown.body, etag }, { 'if-match': '*' })).body
  t.strictSame({ ...saved, changedTime: '' }, { ...shown.body, changedTime: '' })

  const operation = await operationOf('publish', metadata)
  const { publishingVersion } = await poll(
    async () => await get(operation),
    ({ steps }) => steps[4].status === 'waitingForPublisherReview'
  )
  t.equal(publishingVersion, 1)
  t.strictSame((await get(`${O}/status?${V}`)).notificationEmails, 'ann@example.org,bob@example.org')
  t.equal((await get(`${O}/versions/1?${V}`)).definition.displayText, 'Tide DB')
  for (const slot of ['draft', 'preview']) t.equal((await get(`${O}/slot/${slot}?${V}`)).id, 'tide-db', slot)
  await t.rejects(get(`${O}/slot/production?${V}`), /404 .*SlotEmpty/)

  const [listed] = await get(`${O}/submissions/?${V}&submissionState=running`)
  t.strictSame(await get(`${O}/submissions/?${V}&submissionState=canceled`), [])
  // This client puts a slash between the id of an operation and the query.
  t.match(await get(`${O}/operations/${listed.id}/?${V}`), { status: 'running', cancellationRequestState: 'canCancel' })

  const live = await operationOf('golive', metadata)
  await poll(async () => await get(live), ({ status }) => status === 'complete')
  t.equal((await get(`${O}/slot/production?${V}`)).status, 'succeeded')

  await operationOf('publish', metadata)
  const canceled = await operationOf('cancel')
  t.match(await get(canceled), { status: 'canceled' })
  t.match(await get(`${O}/submissions/?${V}`), [{ submissionState: 'canceled' }, { submissionState: 'succeeded' }])

  t.match(await get(`api/publishers/contoso/offers?${V}`), [
    { id: 'tide-db', offerTypeId: TYPE, definition: { displayText: 'Tide DB' } }
  ])
  t.match(await get(`api/publishers?${V}`), [{ id: 'contoso' }])
})
