import t from 'tap'
import { OFFER, TYPE } from '../../support/example/app.js'
import { clientOf, poll, serveOverHttp } from '../../support/example/client.js'
import { withEachStorage } from '../../support/example/storage.js'

// microsoft/az-partner-center-cli, in Python, 2022. Its document is a file with a years-old eTag in it. By then the
// service had given up its concurrency control, so two expectations of this client are not met here: PUT without
// If-Match is 400 and not 200 (readings 1 and 2), and a PUT that creates is 201 and not 200 (reading 13). The client
// works if it sends the header and takes any success for success.

await withEachStorage(
  t,
  'azpc: create from its file, show, list with its filter, update, publish',
  async (t, storage) => {
    const origin = await serveOverHttp(t, { storage, actionsIfMatch: 'optional' })
    const request = clientOf(`${origin}/api/publishers`, {
      authorization: 'Bearer contoso-token',
      'content-type': 'application/json'
    })
    const url = '/contoso/offers/tide-db?api-version=2017-10-31'
    const file = {
      ...OFFER,
      id: 'tide-db',
      publisherId: 'contoso',
      offerTypeVersions: { [TYPE]: 1, 'microsoft-azure-marketplace': 1 },
      version: 1,
      changedTime: '2021-03-09T12:44:19.5210000Z',
      status: 'neverPublished',
      eTag: 'W/"datetime\'2021-03-09T12%3A44%3A19.5210000Z\'"'
    }
    const list = async (path: string): Promise<any> => await (await request('GET', path)).json()

    t.strictSame(await list('/contoso/offers?api-version=2017-10-31'), [])
    t.equal((await request('GET', url)).status, 404, 'create looks first whether the offer exists')
    t.equal((await request('PUT', url, {}, file)).status, 400)
    t.equal((await request('PUT', url, { 'if-match': '*' }, file)).status, 201)
    const { changedTime, ...shown } = await list(url)
    t.strictSame(shown, { ...OFFER, id: 'tide-db', publisherId: 'contoso', status: 'neverPublished', version: 0 })
    t.not(changedTime, file.changedTime)

    for (let update = 0; update < 2; update++) {
      const { status } = await request('PUT', url, { 'if-match': '*' }, file)
      t.equal(status, 200, 'the eTag in the body is no precondition')
    }
    t.equal((await request('PUT', url, { 'if-match': file.eTag }, file)).status, 412, 'in the header it is one')

    const other = { ...OFFER, offerTypeId: 'microsoft-azure-corevm' }
    await request('PUT', '/contoso/offers/tide-os?api-version=2017-10-31', { 'if-match': '*' }, other)
    const filtered = await list(`/contoso/offers?api-version=2017-10-31&$filter=offerTypeId eq '${TYPE}'`)
    t.strictSame(
      filtered.map(({ id, offerTypeId }: Record<string, string>) => [id, offerTypeId]),
      [['tide-db', TYPE]]
    )
    t.strictSame((await list('/contoso/offers?api-version=2017-10-31')).length, 2)

    const empty = await request('PUT', url, { 'if-match': '*' }, { ...file, offerTypeId: undefined })
    const { error } = await empty.json() as any
    t.strictSame([empty.status, error.code], [400, 'BadRequest'], 'as its test data has it')
    const metadata = { 'notification-emails': 'ann@example.org' }
    const published = await request('POST', '/contoso/offers/tide-db/publish?api-version=2017-10-31', {}, { metadata })
    t.equal(published.status, 202)
    await poll(
      async () => await list('/contoso/offers/tide-db/status?api-version=2017-10-31'),
      ({ status }) => status === 'waitingForPublisherReview'
    )
  }
)
