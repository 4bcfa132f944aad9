import t from 'tap'
import { codeOf, OFFER, offersUrl, send } from '../../support/example/app.js'
import { newPublisher, TO_SIGN_OFF, type Publisher } from '../../support/example/publisher.js'
import { measuringStorage } from '../../support/example/storage.js'

const draft = (displayText: string) => ({ ...OFFER, definition: { ...OFFER.definition, displayText } })

/** Publishes the draft and lets it go live. */
async function release ({ act, pass }: Publisher): Promise<void> {
  await act('publish')
  pass(TO_SIGN_OFF)
  await act('golive')
  pass(1)
}

await t.test('reading 16: version is 0, then each publish takes the draft as the next version at once; 100 are remembered, and the live one', async (t) => {
  const publisher = await newPublisher(t)
  const { send, get, put, act } = publisher
  await put(draft('live'))
  t.equal((await get('/tide-db')).version, 0)
  const refused = async (version: string) => {
    const response = await send('GET', `/tide-db/versions/${version}`)
    return `${response.statusCode} ${codeOf(t, response)}`
  }
  t.equal(await refused('0'), '404 VersionNotFound')
  await release(publisher)
  await put(draft('second'))
  t.equal((await get('/tide-db')).version, 1, 'a draft is no version')
  // A number in another form is 400; one that no offer can reach is a version that does not exist.
  for (const version of ['01', '1.0', '+1', '-1', '1e0', 'latest']) {
    t.equal(await refused(version), '400 BadRequest', version)
  }
  for (const version of ['2', '9007199254740993', '9999999999999999', '9'.repeat(400)]) {
    t.equal(await refused(version), '404 VersionNotFound', version)
  }
  const { publishingVersion } = (await act('publish')).json()
  t.equal(publishingVersion, 2)
  t.equal((await get('/tide-db')).version, 2)
  t.equal((await get('/tide-db/versions/2')).definition.displayText, 'second')
  await act('cancel')
  for (let version = 3; version <= 103; version++) {
    await act('publish')
    await act('cancel')
  }
  const submissions = await get('/tide-db/submissions')
  t.strictSame(
    [submissions.length, submissions[0].publishingVersion, submissions.at(-1).publishingVersion],
    [100, 103, 1]
  )
  // The first is in production.
  for (const [version, status] of [[1, 200], [2, 404], [4, 404], [5, 200], [103, 200], [104, 404]] as const) {
    t.equal((await send('GET', `/tide-db/versions/${version}`)).statusCode, status, `version ${version}`)
  }
  t.equal((await get('/tide-db/slot/production')).definition.displayText, 'live')

  // Large versions are forgotten earlier: the stored offer stays below a mebibyte.
  const { storage, sizes } = await measuringStorage(t)
  const large = await newPublisher(t, { storage })
  const largest = (text: string) => ({ ...draft(text), fill: 'x'.repeat(256 * 1024 - 200) })
  await large.put(largest('live'))
  await release(large)
  for (let version = 2; version <= 10; version++) {
    await large.put(largest(`draft ${version}`))
    t.equal((await large.act('publish')).statusCode, 202)
    large.pass(TO_SIGN_OFF)
    t.equal((await large.get('/tide-db/slot/preview')).version, version)
    t.equal((await large.act('cancel')).statusCode, 202)
    await large.put(largest('between'))
  }
  t.ok(Math.max(...sizes) < 1024 * 1024, `${Math.max(...sizes)} bytes`)
  const remembered: Array<{ publishingVersion: number }> = await large.get('/tide-db/submissions')
  t.strictSame(remembered.map(({ publishingVersion }) => publishingVersion), [10, 1])
  for (const [version, status] of [[1, 200], [9, 404], [10, 200]] as const) {
    t.equal((await large.send('GET', `/tide-db/versions/${version}`)).statusCode, status, `version ${version}`)
  }
  t.equal((await large.get('/tide-db/slot/production')).definition.displayText, 'live')
})

await t.test('reading 17: the status of a version, and of what is in a slot, is that of the offer', async (t) => {
  const publisher = await newPublisher(t)
  await publisher.put()
  await release(publisher)
  await publisher.put(draft('second'))
  await publisher.act('publish')
  publisher.pass(TO_SIGN_OFF)
  const paths = ['', '/versions/1', '/versions/2', '/slot/draft', '/slot/preview', '/slot/production', '/status']
  for (const path of paths) {
    t.equal((await publisher.get(`/tide-db${path}`)).status, 'waitingForPublisherReview', path)
  }
})

await t.test('reading 18: the steps of every type are the six of a virtual machine; each takes STEP_MS, the sign-off as long as the publisher does', async (t) => {
  const { get, put, act, pass } = await newPublisher(t)
  await put({ ...OFFER, offerTypeId: 'some-other-type' })
  const steps = async () =>
    (await get('/tide-db/status')).steps.map(
      ({ status, progressPercentage }: { status: string, progressPercentage: number }) =>
        `${status} ${progressPercentage}`
    )
  t.strictSame(
    (await get('/tide-db/status')).steps.map(({ id }: { id: string }) => id),
    ['displaydummycertify', 'displaycertify', 'displayprovision', 'displaypackage', 'publisher-signoff', 'live']
  )
  const after = (done: number, current?: string): string[] =>
    [...Array(done).fill('complete 100'), current ?? [], Array(6).fill('notStarted 0')].flat().slice(0, 6)
  t.strictSame(await steps(), after(0))
  await act('publish')
  for (let step = 0; step < TO_SIGN_OFF; step++) {
    t.strictSame(await steps(), after(step, 'inProgress 0'))
    pass(0.75)
    t.strictSame(await steps(), after(step, 'inProgress 75'))
    pass(0.25)
  }
  t.strictSame(await steps(), after(4, 'waitingForPublisherReview 0'))
  pass(1000)
  t.strictSame(await steps(), after(4, 'waitingForPublisherReview 0'))
  await act('golive')
  pass(0.5)
  t.strictSame(await steps(), after(5, 'inProgress 50'))
  pass(0.5)
  t.strictSame(await steps(), after(6))
})

await t.test('reading 19: a name, a plan and no plan twice, otherwise 422; an image that is not at an https address is rejected', async (t) => {
  const { send, get, put, act, pass } = await newPublisher(t)
  const plan = OFFER.definition.plans[0]!
  for (const definition of [
    undefined,
    {},
    { plans: [plan] },
    { displayText: ' ', plans: [plan] },
    { displayText: 'x' },
    { displayText: 'x', plans: [] },
    { displayText: 'x', plans: [plan, plan] }
  ]) {
    const etag = await put({ offerTypeId: OFFER.offerTypeId, ...(definition && { definition }) })
    const refused = await act('publish')
    t.strictSame([refused.statusCode, codeOf(t, refused)], [422, 'OfferNotPublishable'], JSON.stringify(definition))
    t.equal((await send('GET', '/tide-db')).headers.etag, etag, 'and nothing happened')
  }
  for (const [key, osVhdUrl, status] of [
    ['microsoft-azure-virtualmachines.vmImages', 'http://example.org/a.vhd', 'failed'],
    ['microsoft-azure-corevm.vmImagesPublicAzure', 5, 'failed'],
    ['microsoft-azure-corevm.vmImagesPublicAzure', 'https://example.org/a.vhd', 'waitingForPublisherReview']
  ] as const) {
    await put({
      ...OFFER,
      definition: { displayText: 'x', plans: [{ planId: 'small', [key]: { '1.0.0': { osVhdUrl } } }] }
    })
    t.equal((await act('publish')).statusCode, 202)
    pass(TO_SIGN_OFF)
    t.equal((await get('/tide-db')).status, status, `${key} ${osVhdUrl}`)
  }
  await act('cancel')
  await put({
    ...OFFER,
    definition: {
      displayText: 'x',
      plans: [{ planId: '<b>', 'microsoft-azure-virtualmachines.vmImages': { '<script>&': {} } }]
    }
  })
  await act('publish')
  pass(TO_SIGN_OFF)
  const [{ messageHtml }] = (await get('/tide-db/status')).messages
  t.match(messageHtml, /&lt;script&gt;&amp; of the plan "&lt;b&gt;"/)
  t.notMatch(messageHtml, /[<>]/, 'the words of the document are text, not HTML')
})

await t.test('every document that can be PUT can be published, up to the last level and byte', async (t) => {
  const { app, get, act, pass } = await newPublisher(t)
  const levels = `{"d":${'['.repeat(498)}${']'.repeat(498)}}`
  const document = JSON.stringify({ ...OFFER, deep: 0, large: '' }).replace('"deep":0', `"deep":${levels}`)
  const size = document.length
  const largest = document.replace('"large":""', `"large":"${'x'.repeat(256 * 1024 - size)}"`)
  const headers = { 'content-type': 'application/json', 'if-match': '*' }
  t.equal((await send(app, 'PUT', offersUrl('/tide-db'), headers, largest)).statusCode, 201)
  t.equal((await act('publish')).statusCode, 202)
  t.equal((await act('publish')).statusCode, 202, 'and is the same draft')
  pass(TO_SIGN_OFF)
  t.equal((await act('golive')).statusCode, 202)
  pass(1)
  const { deep, large } = await get('/tide-db/slot/production')
  t.strictSame([deep.d.flat(Infinity), large.length], [[], 256 * 1024 - size])
})

await t.test('reading 20: preview is filled at the sign-off and emptied when live is over, which fills production', async (t) => {
  const { get, put, act, pass } = await newPublisher(t)
  await put()
  const inSlot = async (slot: string) => {
    const { version, error } = await get(`/tide-db/slot/${slot}`)
    return version ?? error.code
  }
  const state = async () => [(await get('/tide-db')).status, await inSlot('preview'), await inSlot('production')]
  t.strictSame(await state(), ['neverPublished', 'SlotEmpty', 'SlotEmpty'])
  await act('publish')
  pass(TO_SIGN_OFF - 0.001)
  t.strictSame(await state(), ['running', 'SlotEmpty', 'SlotEmpty'])
  pass(0.001)
  t.strictSame(await state(), ['waitingForPublisherReview', 1, 'SlotEmpty'])
  await act('golive')
  pass(0.999)
  t.strictSame(await state(), ['running', 1, 'SlotEmpty'])
  pass(0.001)
  t.strictSame(await state(), ['succeeded', 'SlotEmpty', 1])
})

await t.test('reading 21: a publish of the draft that is being published is that operation; of another draft it is 400', async (t) => {
  const { send, put, act, pass } = await newPublisher(t)
  await put()
  const { location } = (await act('publish')).headers
  t.equal((await act('publish')).headers.location, location)
  const etag = await put(draft('second'))
  const refused = await act('publish')
  t.strictSame([refused.statusCode, codeOf(t, refused)], [400, 'OperationInProgress'])
  t.equal((await send('GET', '/tide-db')).headers.etag, etag)
  await put()
  pass(TO_SIGN_OFF)
  const waiting = await act('publish')
  t.strictSame(
    [waiting.statusCode, waiting.headers.location, (await send('GET', '/tide-db/submissions')).json().length],
    [202, location, 1]
  )
})

await t.test('reading 22: golive is for an offer that waits at the sign-off, and shows the same publication', async (t) => {
  const { send, get, put, act, pass } = await newPublisher(t)
  await put()
  const refused = async (when: string): Promise<void> => {
    const { etag } = (await send('GET', '/tide-db')).headers
    const response = await act('golive')
    t.strictSame([response.statusCode, codeOf(t, response)], [400, 'NotWaitingForSignoff'], when)
    t.equal((await send('GET', '/tide-db')).headers.etag, etag)
  }
  await refused('never published')
  const published = (await act('publish')).headers.location as string
  await refused('running')
  pass(TO_SIGN_OFF)
  const live = (await act('golive')).headers.location as string
  t.not(live, published)
  const read = async (location: string) => (await send('GET', location.replace(/^.*offers(.*)\?.*$/, '$1'))).json()
  t.strictSame(await read(live), await read(published))
  await refused('going live')
  pass(1)
  t.strictSame([(await read(live)).status, (await read(published)).status], ['complete', 'complete'])
  await refused('live')
  await act('publish')
  await act('cancel')
  await refused('canceled')
  t.equal((await get('/tide-db/submissions')).length, 2)
})

await t.test('reading 23: cancel ends a publication, also after golive, and empties preview; without a publication it is 200', async (t) => {
  const publisher = await newPublisher(t)
  const { send, get, put, act, pass } = publisher
  await put(draft('live'))
  t.equal((await act('cancel')).statusCode, 200, 'never published')
  await release(publisher)
  const nothing = await act('cancel')
  t.strictSame([nothing.statusCode, nothing.json().status, nothing.headers.location], [200, 'succeeded', undefined])
  await put(draft('second'))
  for (const moment of ['running', 'waitingForPublisherReview', 'gone live']) {
    await act('publish')
    if (moment !== 'running') pass(TO_SIGN_OFF)
    if (moment === 'gone live') await act('golive')
    t.equal((await act('cancel')).statusCode, 202, moment)
    pass(10)
    t.equal((await get('/tide-db')).status, 'canceled')
    t.equal((await send('GET', '/tide-db/slot/preview')).statusCode, 404)
    t.equal((await get('/tide-db/slot/production')).definition.displayText, 'live')
    t.equal((await act('cancel')).statusCode, 200, 'again')
  }
})
