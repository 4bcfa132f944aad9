import t from 'tap'
import { createClient, type Conflict } from '../../../lib/client/index.js'
import {
  after, answered, late, lostAnswer, neverSent, stubServer, type Step
} from '../../support/client/stub-server.js'

interface Doc { n: number, entries?: string[] }

const raise = ({ n, ...rest }: Doc): Doc => ({ ...rest, n: n + 1 })
const asIs: Step = (apply) => apply()

await t.test('update reads, changes, and writes under the tag that it read', async (t) => {
  const server = stubServer(t, { n: 1 })
  t.strictSame(await createClient(server).update('/1', raise), { value: { n: 2 }, etag: '"v1"', outcome: 'confirmed' })
  t.strictSame(server.log(), ['GET', 'PUT "v0"'])
})

await t.test('mutate may change what it is given, and wait; what stays equal is not sent', async (t) => {
  const server = stubServer(t, { n: 1 })
  const client = createClient(server)
  t.match(await client.update<Doc>('/1', (doc) => { doc.n++ }), { value: { n: 2 }, outcome: 'confirmed' })
  const waiting = async (doc: Doc): Promise<Doc> => await Promise.resolve({ n: doc.n + 1 })
  t.match(await client.update('/1', waiting), { value: { n: 3 } })
  const before = server.sent.length
  for (const same of [() => {}, () => undefined, (doc: Doc) => doc, ({ n }: Doc) => ({ n }), async () => {}]) {
    t.strictSame(await client.update<Doc>('/1', same), { value: { n: 3 }, etag: '"v2"', outcome: 'unchanged' })
  }
  t.strictSame(server.log().slice(before), ['GET', 'GET', 'GET', 'GET', 'GET'])
})

await t.test('an error of mutate, and an entity that is not there, are the error of the call', async (t) => {
  const server = stubServer(t, { n: 1 })
  await t.rejects(createClient(server).update('/1', () => { throw new Error('no') }), { message: 'no' })
  const failing = async (): Promise<never> => await Promise.reject(new Error('no'))
  await t.rejects(createClient(server).update('/1', failing), { message: 'no' })
  server.store(undefined)
  await t.rejects(createClient(server).update('/1', raise), { name: 'RequestError', status: 404 })
  t.strictSame(server.log(), ['GET', 'GET', 'GET'])
})

await t.test('after a 412 it reads again, and asks mutate with what is there (RFC 9110 13.1.1)', async (t) => {
  const server = stubServer(t, { n: 1 })
  server.steps.push(asIs, after(() => { server.store({ n: 10 }) }))
  t.match(await createClient(server).update('/1', raise), { value: { n: 11 }, outcome: 'confirmed' })
  t.strictSame(server.log(), ['GET', 'PUT "v0"', 'GET', 'PUT "v1"'])
})

await t.test('after a 412 onConflict is asked with base, mine and theirs, and again with those of the next conflict', async (t) => {
  const server = stubServer(t, { n: 1 })
  const raced = (n: number): Step => after(() => { server.store({ n }) })
  server.steps.push(asIs, raced(10), asIs, raced(20))
  const conflicts: Array<Conflict<Doc>> = []
  const onConflict = async (conflict: Conflict<Doc>) => {
    conflicts.push(structuredClone(conflict))
    return { n: conflict.theirs.n + conflict.mine.n - conflict.base.n }
  }
  t.match(await createClient(server).update('/1', raise, { onConflict }), { value: { n: 21 } })
  t.strictSame(conflicts, [
    { base: { n: 1 }, mine: { n: 2 }, theirs: { n: 10 } },
    { base: { n: 10 }, mine: { n: 11 }, theirs: { n: 20 } }
  ])
})

await t.test('an onConflict that gives nothing, or theirs, leaves what is there', async (t) => {
  for (const onConflict of [() => undefined, ({ theirs }: Conflict<Doc>) => theirs]) {
    const server = stubServer(t, { n: 1 })
    server.steps.push(asIs, after(() => { server.store({ n: 10 }) }))
    const written = await createClient(server).update('/1', raise, { onConflict })
    t.strictSame(written, { value: { n: 10 }, etag: '"v1"', outcome: 'unchanged' })
  }
})

await t.test('conflicts end after the retries, with the last one and what is there; one that is thrown from onConflict ends them at once', async (t) => {
  const server = stubServer(t, { n: 1 })
  const raced = after(() => { server.store({ n: server.sent.length }) })
  server.steps.push(asIs, raced, asIs, raced, asIs, raced)
  const updating = createClient(server).update('/1', raise, { retries: 2 })
  await t.rejects(updating, { name: 'ConflictError', status: 412, current: { value: { n: 6 }, etag: '"v3"' } })
  t.strictSame(server.log().filter((line) => line !== 'GET'), ['PUT "v0"', 'PUT "v1"', 'PUT "v2"'])
  server.steps.push(asIs, raced)
  const onConflict = () => { throw new Error('ask a person') }
  await t.rejects(createClient(server).update('/1', raise, { onConflict }), { message: 'ask a person' })
})

await t.test('a tag that is refused although it is current ends at once: no try would help', async (t) => {
  const server = stubServer(t, { n: 1 })
  server.steps.push(asIs, answered(412))
  await t.rejects(createClient(server).update('/1', raise), { name: 'ConflictError', message: /weak/ })
  t.strictSame(server.log(), ['GET', 'PUT "v0"', 'GET'])
})

await t.test('a lost answer with the same value under another version is unknown: another client may have written the same', async (t) => {
  for (const lost of [lostAnswer, neverSent]) {
    const server = stubServer(t, { n: 1 })
    server.steps.push(asIs, lost, after(() => { if (lost === neverSent) server.store({ n: 2 }) }))
    const updating = createClient(server).update('/1', raise)
    const unknown = { code: 'OUTCOME_UNKNOWN', seen: 'changed', sent: { n: 2 }, current: { value: { n: 2 } } }
    await t.rejects(updating, unknown)
    t.strictSame(server.log(), ['GET', 'PUT "v0"', 'GET'])
  }
})

await t.test('`isApplied: equal` takes the same value for its own', async (t) => {
  const server = stubServer(t, { n: 1 })
  server.steps.push(asIs, lostAnswer)
  const written = await createClient(server).update('/1', raise, { isApplied: 'equal' })
  t.strictSame(written, { value: { n: 2 }, etag: '"v1"', outcome: 'found' })
})

const add = (entry: string) => ({ entries = [], n }: Doc): Doc => ({ n, entries: [...entries, entry] })
const isThere = (entry: string) => ({ isApplied: ({ entries = [] }: Doc) => entries.includes(entry) })

await t.test('an entry of its own is found after a lost answer, also if others came on top; if it is not there, it is added once', async (t) => {
  const others = ['other']
  const cases: Array<[Step, string[], string]> = [
    [lostAnswer, ['mine', 'other'], 'found'],
    [neverSent, ['other', 'mine'], 'confirmed']
  ]
  for (const [lost, entries, outcome] of cases) {
    const server = stubServer(t, { n: 1 })
    server.steps.push(asIs, lost, after(() => {
      const { n, entries = [] } = server.stored.value as Doc
      server.store({ n, entries: [...entries, ...others] })
    }))
    const written = await createClient(server).update('/1', add('mine'), isThere('mine'))
    t.match([written.value, written.outcome], [{ entries }, outcome])
    t.strictSame((server.stored.value as Doc).entries, entries)
  }
})

await t.test('an entry whose first request arrives late, after a 412 of the second, is there once', async (t) => {
  const server = stubServer(t, { n: 1 })
  const [first, again] = late()
  server.steps.push(asIs, first, asIs, again)
  t.match(await createClient(server).update('/1', add('mine'), isThere('mine')), { outcome: 'found' })
  t.strictSame((server.stored.value as Doc).entries, ['mine'])
})

await t.test('a write that something on the way sends twice is added once: isApplied is asked after a 412, too (RFC 9110 9.2.2)', async (t) => {
  const server = stubServer(t, { n: 1 })
  server.steps.push(asIs, (apply) => {
    apply()
    return apply()
  })
  t.match(await createClient(server).update('/1', add('mine'), isThere('mine')), { outcome: 'found' })
  t.strictSame((server.stored.value as Doc).entries, ['mine'])
})

await t.test('a read that is behind hides an entry for a moment: the 412 that follows asks again, so it is added once', async (t) => {
  const server = stubServer(t, { n: 1 })
  const behind = new Response('{"n":0}', { headers: { etag: '"older"' } })
  server.steps.push(asIs, lostAnswer, () => behind)
  t.match(await createClient(server).update('/1', add('mine'), isThere('mine')), { outcome: 'found' })
  t.strictSame((server.stored.value as Doc).entries, ['mine'])
  t.strictSame(server.log(), ['GET', 'PUT "v0"', 'GET', 'PUT "older"', 'GET'])
})

await t.test('tries of lost answers and of conflicts are counted together', async (t) => {
  const server = stubServer(t, { n: 1 })
  const raced = after(() => { server.store({ n: 9 }) })
  server.steps.push(asIs, neverSent, raced, raced)
  const updating = createClient(server).update('/1', raise, { retries: 1, isApplied: () => false })
  await t.rejects(updating, { name: 'ConflictError', code: 'NOT_APPLIED', current: { value: { n: 9 } } })
  t.strictSame(server.log(), ['GET', 'PUT "v0"', 'GET'])
})

await t.test('an answer whose ETag is no tag ends it: `If-Match: *` is never sent (RFC 9110 8.8.3, 13.1.1)', async (t) => {
  for (const tag of ['*', '', 'v0']) {
    const server = stubServer(t, { n: 1 })
    server.steps.push(answered(200, { etag: tag }, { n: 1 }))
    await t.rejects(createClient(server).update('/1', raise), { code: 'MISSING_TAG' })
    t.strictSame(server.log(), ['GET'])
  }
})

await t.test('the reads of an update use up its tries as well', async (t) => {
  const server = stubServer(t, { n: 1 })
  server.steps.push(neverSent, asIs, after(() => { server.store({ n: 9 }) }), neverSent, neverSent)
  const updating = createClient({ ...server, retries: 2 }).update('/1', raise)
  const cause = { code: 'NO_ANSWER', message: 'GET /1: no answer' }
  const message = /^PUT \/1: 412 *\. It could not be read since$/
  await t.rejects(updating, { name: 'ConflictError', status: 412, current: undefined, message, cause })
  t.strictSame(server.log(), ['GET', 'GET', 'PUT "v0"', 'GET'])
})

await t.test('an update that is aborted while it reads after a 412 rejects with the reason', async (t) => {
  const server = stubServer(t, { n: 1 })
  const controller = new AbortController()
  server.steps.push(asIs, answered(412), () => {
    controller.abort(new Error('enough'))
    throw new TypeError('fetch failed')
  })
  const updating = createClient(server).update('/1', raise, { signal: controller.signal })
  await t.rejects(updating, { message: 'enough', code: undefined })
  t.equal(server.sent.length, 3)
})

await t.test('an aborted update rejects with the reason, in a pause as well', async (t) => {
  const server = stubServer(t, { n: 1 })
  const controller = new AbortController()
  server.steps.push(asIs, () => {
    controller.abort(new Error('enough'))
    return new Response(null, { status: 412 })
  })
  const updating = createClient(server).update('/1', raise, { signal: controller.signal })
  await t.rejects(updating, { message: 'enough', code: undefined })
  t.equal(server.sent.length, 2)
})
