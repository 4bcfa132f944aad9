import t from 'tap'
import { OFFER } from '../../support/example/app.js'
import { clientOf, poll, serveOverHttp } from '../../support/example/client.js'
import { withEachStorage } from '../../support/example/storage.js'

// debian-cloud-images, in Python, 2019: the one client that sends the tag it was given. It falls back to `*` where an
// answer has none, and sends no If-Match with publish.

await withEachStorage(
  t,
  'deb: GET, edit, If-Match with the tag of the header: 200; the slower one: 412, and again from the start',
  async (t, storage) => {
    const origin = await serveOverHttp(t, { storage, actionsIfMatch: 'optional' })
    const request = clientOf(origin, { authorization: 'Bearer contoso-token', accept: 'application/json' })
    const path = (below = ''): string => `/api/publishers/contoso/offers/tide-db${below}?api-version=2017-10-31`
    const json = { 'content-type': 'application/json' }

    const open = async () => {
      const response = await request('GET', path())
      return { document: (await response.json()) as any, etag: response.headers.get('etag') ?? '*' }
    }
    const commit = async ({ document, etag }: Awaited<ReturnType<typeof open>>) =>
      await request('PUT', path(), { ...json, 'if-match': etag }, document)
    const addVersion = (document: any, version: string): void => {
      document.definition.plans[0]['microsoft-azure-virtualmachines.vmImages'] = {
        ...document.definition.plans[0]['microsoft-azure-virtualmachines.vmImages'],
        [version]: { osVhdUrl: `https://example.org/${version}.vhd`, lunVhdDetails: [] }
      }
    }
    await request('PUT', path(), { ...json, 'if-match': '*' }, OFFER)

    const [one, two] = [await open(), await open()]
    addVersion(one.document, '0.20310401.1')
    addVersion(two.document, '0.20310402.1')
    t.equal((await commit(one)).status, 200)
    const refused = await commit(two)
    t.equal(refused.status, 412)
    t.equal(refused.headers.get('etag'), (await open()).etag)

    const again = await open()
    addVersion(again.document, '0.20310402.1')
    t.equal((await commit(again)).status, 200)
    const { document } = await open()
    t.strictSame(Object.keys(document.definition.plans[0]['microsoft-azure-virtualmachines.vmImages']), [
      '0.20310401.1',
      '0.20310402.1'
    ])

    // A document that it had open when the publication reached the sign-off is stale.
    const published = await request('POST', path('/publish'), json, {
      metadata: { 'notification-emails': 'ann@example.org' }
    })
    t.equal(published.status, 202)
    const during = { document, etag: published.headers.get('etag')! }
    await poll(
      async () => (await (await request('GET', path())).json()) as any,
      ({ status }) => status === 'waitingForPublisherReview'
    )
    t.equal((await commit(during)).status, 412)
    t.equal((await request('GET', path('/slot/preview'))).status, 200)
  }
)
