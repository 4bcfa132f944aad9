import t from 'tap'
import { OFFER } from '../../support/example/app.js'
import { clientOf, poll, serveOverHttp } from '../../support/example/client.js'
import { withEachStorage } from '../../support/example/storage.js'

// openshift-ansible, in Python, 2018. It sends a JSON content type also without a body, and parses the answer to
// golive, whatever that is. It looks for an offer in its preview slot, and PUTs without If-Match if that is empty. Here
// that is 400 (readings 1 and 2): for the first offer, and for the round after an offer went live, which empties the
// slot (reading 20). So its playbook is replayed for an offer in preview.

await withEachStorage(t, 'osh: cancel whatever there is, wait for it, modify, publish, go live', async (t, storage) => {
  const origin = await serveOverHttp(t, { storage, actionsIfMatch: 'optional' })
  const request = clientOf(`${origin}/api/publishers/contoso`, {
    'content-type': 'application/json',
    accept: 'application/json',
    authorization: 'Bearer contoso-token'
  })
  const V = 'api-version=2017-10-31'
  const offer = async () => await request('GET', `/offers/tide-db/slot/preview?${V}`)
  const modify = async (document: object): Promise<number> =>
    (await request('PUT', `/offers/tide-db?${V}`, { 'if-match': '*' }, document)).status
  const metadata = { 'notification-emails': 'ann@example.org,bob@example.org' }
  const publish = async (): Promise<number> =>
    (await request('POST', `/offers/tide-db/publish?${V}`, {}, { metadata })).status
  const cancelAndWait = async (): Promise<void> => {
    await request('POST', `/offers/tide-db/cancel?${V}`)
    await poll(
      async () => (await (await request('GET', `/offers/tide-db/submissions/?${V}`)).json()) as any,
      ([newest]) => newest.submissionState === 'canceled'
    )
  }
  const waiting = async () => await poll(offer, ({ status }) => status === 200)

  t.equal((await request('PUT', `/offers/tide-db?${V}`, {}, OFFER)).status, 400, 'create without If-Match')
  t.equal(await modify(OFFER), 201)
  t.equal(await publish(), 202)
  const existing = await (await waiting()).json() as any
  t.strictSame(existing.definition, OFFER.definition)

  await cancelAndWait()
  await cancelAndWait() // nothing is left to cancel, and the newest submission is still the canceled one
  existing.definition.plans[0].regions.push('SE')
  t.equal(await modify(existing), 200)
  t.equal(await publish(), 202)
  t.match(await (await waiting()).json(), { definition: { plans: [{ regions: ['FI', 'SE'] }] } })

  const live = await request('POST', `/offers/tide-db/golive?${V}`)
  t.equal(live.status, 202)
  t.match(await live.json(), { status: 'running' })
  await poll(
    async () => (await (await request('GET', `/offers/tide-db/submissions/?${V}&status=running`)).json()) as any,
    ({ length }) => length === 0
  )
  t.match(await (await request('GET', `/offers/tide-db/slot/production?${V}`)).json(), {
    status: 'succeeded',
    version: 2
  })
  // The next round.
  t.equal((await offer()).status, 404)
  t.equal((await request('PUT', `/offers/tide-db?${V}`, {}, OFFER)).status, 400)
})
