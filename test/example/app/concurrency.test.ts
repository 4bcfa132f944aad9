import t, { type Test } from 'tap'
import { aroundAdapter } from '../../support/around-adapter.js'
import { clientOf, serveOverHttp } from '../../support/example/client.js'
import { OFFER, offersUrl } from '../../support/example/app.js'
import { meetingStorage, newStorage } from '../../support/example/storage.js'
import { STEP, TO_SIGN_OFF } from '../../support/example/publisher.js'

type Action = 'publish' | 'golive' | 'cancel'

/** A server over HTTP with one offer, whose writes meet when the test says so, and whose time the test moves. */
async function meetingServer (t: Test) {
  const { storage, meet } = await meetingStorage(t)
  let now = Date.parse('2031-04-02T09:15:06.987Z')
  const request = clientOf(await serveOverHttp(t, { storage, clock: () => now, stepMs: STEP }), {
    authorization: 'Bearer contoso-token',
    'content-type': 'application/json'
  })
  const put = async (ifMatch: string, document: object = OFFER) =>
    await request('PUT', offersUrl('/tide-db'), { 'if-match': ifMatch }, document)
  const act = async (action: Action, ifMatch: string) =>
    await request('POST', offersUrl(`/tide-db/${action}`), { 'if-match': ifMatch })
  const read = async (path = '') => (await request('GET', offersUrl(`/tide-db${path}`))).json() as Promise<any>
  const tag = async (): Promise<string> => (await request('GET', offersUrl('/tide-db'))).headers.get('etag')!
  await put('*')
  return { put, act, read, tag, meet, pass: (steps: number) => { now += steps * STEP } }
}

/** Asserts that one of two won, and that the other was refused and told the tag that the winner left. */
async function assertOneWinner (t: Test, answers: Response[], tag: string): Promise<void> {
  const [lost] = answers.filter(({ status }) => status === 412)
  const [won] = answers.filter(({ status }) => status < 300)
  const statuses = answers.map(({ status }) => status).join()
  t.strictSame([lost?.headers.get('etag'), won?.headers.get('etag')], [tag, tag], statuses)
  t.match(await lost?.json(), { error: { code: 'PreconditionFailed' } })
}

await t.test('two publishes at once under one tag: one 202, one 412, one submission', async (t) => {
  const { act, read, tag, meet } = await meetingServer(t)
  const etag = await tag()
  meet(2)
  await assertOneWinner(t, await Promise.all([act('publish', etag), act('publish', etag)]), await tag())
  t.equal((await read('/submissions')).length, 1)
})

await t.test('ten publishes at once with *: all 202, all of one operation', async (t) => {
  const { act, read, meet } = await meetingServer(t)
  meet(10)
  const answers = await Promise.all(Array.from({ length: 10 }, async () => await act('publish', '*')))
  t.strictSame(answers.map(({ status }) => status), Array(10).fill(202))
  t.equal(new Set(answers.map(({ headers }) => headers.get('location'))).size, 1)
  t.equal(new Set(answers.map(({ headers }) => headers.get('etag'))).size, 10)
  t.equal((await read('/submissions')).length, 1)
})

await t.test('publish against PUT under one tag: one wins, and the published version is the one that the publisher saw', async (t) => {
  const { put, act, read, tag, meet } = await meetingServer(t)
  for (let round = 1; round <= 4; round++) {
    const etag = await tag()
    const { note: seen } = await read()
    meet(2)
    const writers = [async () => await put(etag, { ...OFFER, note: round }), async () => await act('publish', etag)]
    if (round % 2 === 1) writers.reverse()
    const answers = await Promise.all(writers.map(async (write) => await write()))
    await assertOneWinner(t, answers, await tag())
    const [newest] = await read('/submissions')
    const isPublished = answers.some(({ status }) => status === 202)
    const path = isPublished ? `/versions/${newest.publishingVersion}` : ''
    t.equal((await read(path)).note, isPublished ? seen : round)
    await act('cancel', '*')
  }
})

await t.test('publish with * against PUT with *: neither is lost', async (t) => {
  const { put, act, read, meet } = await meetingServer(t)
  meet(2)
  const [written, published] = await Promise.all([put('*', { ...OFFER, note: 'edited' }), act('publish', '*')])
  t.strictSame([written!.status, published!.status], [200, 202])
  const { note, status, version } = await read()
  t.strictSame([note, status, version], ['edited', 'running', 1])
})

await t.test('golive against cancel at the sign-off under one tag: one wins', async (t) => {
  for (const first of ['golive', 'cancel'] as const) {
    const { act, read, tag, meet, pass } = await meetingServer(t)
    await act('publish', '*')
    pass(TO_SIGN_OFF)
    const etag = await tag()
    meet(2)
    const answers = await Promise.all([act(first, etag), act(first === 'golive' ? 'cancel' : 'golive', etag)])
    await assertOneWinner(t, answers, await tag())
    const hasGone = answers[first === 'golive' ? 0 : 1]!.status === 202
    pass(1)
    t.equal((await read()).status, hasGone ? 'succeeded' : 'canceled')
  }
})

await t.test('golive against cancel at the sign-off with *: canceled, whichever came first', async (t) => {
  for (const first of ['golive', 'cancel'] as const) {
    const { act, read, meet, pass } = await meetingServer(t)
    await act('publish', '*')
    pass(TO_SIGN_OFF)
    await read()
    meet(2)
    const answers = await Promise.all([act(first, '*'), act(first === 'golive' ? 'cancel' : 'golive', '*')])
    const [went, canceled] = first === 'golive' ? answers : answers.toReversed()
    t.equal(canceled!.status, 202)
    t.ok([202, 400].includes(went!.status), `golive ${went!.status}`)
    if (went!.status === 400) t.match(await went!.json(), { error: { code: 'NotWaitingForSignoff' } })
    pass(1)
    const { status, error } = await read('/slot/production')
    t.strictSame([(await read()).status, status, error?.code], ['canceled', undefined, 'SlotEmpty'])
  }
})

await t.test('an open editor with a tag from before the sign-off: 412 after it, nothing lost, and no 412 at the steps before', async (t) => {
  const { put, act, read, tag, pass } = await meetingServer(t)
  await act('publish', '*')
  const before = await tag()
  pass(TO_SIGN_OFF - 0.001)
  await read('/status')
  const kept = await put(before, { ...OFFER, note: 'kept' })
  t.equal(kept.status, 200)
  const open = kept.headers.get('etag')!
  pass(0.001)
  // No request has read the offer since. The write itself meets the sign-off that has come due.
  const refused = await put(open, { ...OFFER, note: 'lost' })
  t.strictSame([refused.status, refused.headers.get('etag')], [412, await tag()])
  t.match(await read(), { status: 'waitingForPublisherReview', note: 'kept' })
  t.equal((await act('golive', open)).status, 412)
  t.equal((await act('golive', await tag())).status, 202)
})

await t.test('the sign-off comes due between the comparison of a tag and the write: 412, with the tag of the sign-off', async (t) => {
  let now = 0
  let reads = 2
  const storage = aroundAdapter(await newStorage(t), async (step, operation) => {
    // The first read of the request is for the early comparison of the plugin.
    if (operation === 'read' && ++reads === 2) now += TO_SIGN_OFF * STEP
    return await step()
  })
  const request = clientOf(await serveOverHttp(t, { storage, clock: () => now, stepMs: STEP }), {
    authorization: 'Bearer contoso-token',
    'content-type': 'application/json'
  })
  await request('PUT', offersUrl('/tide-db'), { 'if-match': '*' }, OFFER)
  for (const [method, path] of [['PUT', ''], ['POST', '/cancel']] as const) {
    await request('POST', offersUrl('/tide-db/publish'), { 'if-match': '*' })
    const etag = (await request('GET', offersUrl('/tide-db'))).headers.get('etag')!
    reads = 0
    const body = method === 'PUT' ? OFFER : undefined
    const refused = await request(method, offersUrl(`/tide-db${path}`), { 'if-match': etag }, body)
    t.ok(reads >= 2, 'it came due within the request')
    reads = 2
    const current = await request('GET', offersUrl('/tide-db'))
    t.strictSame([refused.status, refused.headers.get('etag')], [412, current.headers.get('etag')], method)
    t.match(await current.json(), { status: 'waitingForPublisherReview' })
    await request('POST', offersUrl('/tide-db/cancel'), { 'if-match': '*' })
  }
})

await t.test('five readers find the sign-off due at once: one transition, one tag', async (t) => {
  const { act, tag, meet, pass } = await meetingServer(t)
  const published = (await act('publish', '*')).headers.get('etag')
  pass(TO_SIGN_OFF)
  meet(5)
  const tags = new Set(await Promise.all(Array.from({ length: 5 }, tag)))
  t.equal(tags.size, 1)
  t.notOk(tags.has(published!))
})
