import t from 'tap'
import { createClient, type Strategy } from '../../../lib/client/index.js'
import { after, answered, lostAnswer, neverSent, stubServer, type Step } from '../../support/client/stub-server.js'

const NO_TAGS = [' *', '* ', 'v0', '"v0', 'w/"v0"', 'W/*', '"a", "b"', '"a b"', '"a\n"', '"\u20ac"', ' "v0"']
const V0 = { etag: '"v0"' }

await t.test('write sends the tag exactly as it was received, a weak one as well, and the value as JSON', async (t) => {
  for (const etag of ['"v0"', 'W/"v0"', '"v0;gzip"', '"é,\\"']) {
    const server = stubServer(t, 1)
    server.stored.tag = etag
    const written = await createClient(server).write('/1', { at: new Date(0), none: undefined }, { etag })
    t.strictSame(written.value, { at: '1970-01-01T00:00:00.000Z' })
    t.match(server.sent[0], { method: 'PUT', headers: { 'if-match': etag, 'content-type': 'application/json' } })
  }
})

await t.test('`*` is sent for `overwrite: true` alone; a call without a strategy, or with two, or with `*` or anything else that is no tag, sends nothing (RFC 9110 8.8.3)', async (t) => {
  const server = stubServer(t, 1)
  const client = createClient(server)
  const wrong = [
    {}, { etag: '*' }, { etag: '' }, { etag: undefined }, { overwrite: false }, { etag: '"v0"', overwrite: true },
    { etag: 5 }, { etag: '*', overwrite: true }, { overwrite: 'yes' },
    ...NO_TAGS.map((etag) => ({ etag }))
  ] as unknown as Strategy[]
  for (const strategy of wrong) {
    await t.rejects(client.write('/1', 2, strategy), TypeError, JSON.stringify(strategy))
    await t.rejects(client.remove('/1', strategy), TypeError, JSON.stringify(strategy))
  }
  t.equal(server.sent.length, 0)
  t.match(await client.write('/1', 2, { overwrite: true }), { etag: '"v1"', outcome: 'confirmed' })
  t.strictSame(await client.remove('/1', { overwrite: true }), { outcome: 'confirmed' })
  t.strictSame(server.log(), ['PUT *', 'DELETE *'])
})

await t.test('a value that is no JSON is refused before anything is sent', async (t) => {
  const server = stubServer(t, 1)
  const client = createClient(server)
  for (const value of [undefined, () => {}, Symbol('a')]) await t.rejects(client.write('/1', value, V0), TypeError)
  t.equal(server.sent.length, 0)
})

await t.test('412 is a ConflictError with what is stored now, and nothing is sent again (RFC 9110 15.5.13)', async (t) => {
  const server = stubServer(t, 1)
  server.store(2)
  const client = createClient(server)
  const conflict = { name: 'ConflictError', status: 412, current: { value: 2, etag: '"v1"' } }
  await t.rejects(client.write('/1', 3, V0), conflict)
  await t.rejects(client.create('/1', 3), conflict)
  await t.rejects(client.remove('/1', V0), conflict)
  t.strictSame(server.log(), ['PUT "v0"', 'GET', 'PUT *', 'GET', 'DELETE "v0"', 'GET'])
  t.equal(server.sent[2]?.headers['if-none-match'], '*')
})

await t.test('a 412 to write and create is no conflict where the value is there, whoever wrote it: something on the way may have sent it twice (RFC 9110 9.2.2)', async (t) => {
  const twice: Step = (apply) => {
    apply()
    return apply()
  }
  const found = { value: 2, etag: '"v1"', outcome: 'found' }
  const server = stubServer(t, 1)
  server.steps.push(twice)
  t.strictSame(await createClient(server).write('/1', 2, V0), found)
  const empty = stubServer(t)
  empty.steps.push(twice)
  t.strictSame(await createClient(empty).create('/1', 2), found)
  const options = { isApplied: () => undefined }
  await t.rejects(createClient(empty).create('/1', 2, options), { name: 'ConflictError' }, 'unless told otherwise')
})

await t.test('a conflict stays one if what is stored cannot be read, or is gone', async (t) => {
  const server = stubServer(t, 1)
  server.store(2)
  const client = createClient({ ...server, retries: 0 })
  server.steps.push(answered(412), neverSent)
  const message = 'PUT /1: 412. It could not be read since'
  const conflict = { name: 'ConflictError', status: 412, current: undefined, message }
  await t.rejects(client.write('/1', 3, V0), { ...conflict, cause: { code: 'NO_ANSWER' } })
  server.store(undefined)
  await t.rejects(client.write('/1', 3, V0), { ...conflict, cause: { status: 404 } })
})

await t.test('a call that is aborted while it reads after a 412 rejects with the reason', async (t) => {
  const server = stubServer(t, 1)
  const controller = new AbortController()
  server.steps.push(answered(412), () => {
    controller.abort(new Error('enough'))
    throw new TypeError('fetch failed')
  })
  const writing = createClient(server).write('/1', 2, { ...V0, signal: controller.signal })
  await t.rejects(writing, { message: 'enough', code: undefined })
})

await t.test('a conflict that a read told of is not read again; one of an update ends only with the tries', async (t) => {
  const server = stubServer(t, 1)
  const options = { ...V0, isApplied: () => false }
  server.steps.push(neverSent, after(() => { server.store(3) }))
  await t.rejects(createClient(server).write<number>('/1', 2, options), { code: 'NOT_APPLIED', current: { value: 3 } })
  t.strictSame(server.log(), ['PUT "v0"', 'GET'])
  const refused = answered(412)
  server.steps.push((apply) => apply(), neverSent, after(() => { server.store(5) }))
  server.steps.push(refused, after(() => { server.store(7) }), refused)
  const raising = createClient({ ...server, retries: 2 }).update<number>('/1', (n) => n + 1, options)
  await t.rejects(raising, { name: 'ConflictError', status: 412, current: { value: 7 } })
})

await t.test('without an isApplied an update takes a 412 at its word, and an entity that is gone tells nothing', async (t) => {
  const server = stubServer(t, 1)
  server.steps.push(after(() => {}), after(() => { server.store(5) }))
  t.match(await createClient(server).update<number>('/1', (n) => n + 1), { value: 6, outcome: 'confirmed' })
  server.steps.push(neverSent, after(() => { server.store(undefined) }))
  const writing = createClient(server).write('/1', 7, { etag: server.stored.tag! })
  await t.rejects(writing, { code: 'OUTCOME_UNKNOWN', seen: 'absent' })
})

await t.test('a tag that is refused although it is the current one is weak, or was changed: the error says so (RFC 9110 13.1.1)', async (t) => {
  const server = stubServer(t, 1)
  server.stored.tag = 'W/"v0"'
  server.steps.push(answered(412))
  await t.rejects(createClient(server).write('/1', 2, { etag: 'W/"v0"' }), { name: 'ConflictError', message: /weak/ })
})

await t.test('a lost answer to an overwrite is never followed by another one: it is found, or unknown', async (t) => {
  const server = stubServer(t, 1)
  const client = createClient(server)
  server.steps.push(lostAnswer)
  t.match(await client.write('/1', 2, { overwrite: true }), { outcome: 'found', etag: '"v1"' })
  server.steps.push(neverSent)
  await t.rejects(client.write('/1', 3, { overwrite: true }), { code: 'OUTCOME_UNKNOWN', seen: 'changed' })
  server.steps.push(neverSent)
  await t.rejects(client.remove('/1', { overwrite: true }), { code: 'OUTCOME_UNKNOWN', seen: 'changed' })
  t.strictSame(server.log(), ['PUT *', 'GET', 'PUT *', 'GET', 'DELETE *', 'GET'])
})

await t.test('create after a lost answer: found if it is there, sent again if nothing is there, unknown if something else is', async (t) => {
  const server = stubServer(t)
  const client = createClient(server)
  server.steps.push(neverSent)
  t.match(await client.create('/1', 1), { outcome: 'confirmed' })
  server.store(undefined)
  server.steps.push(lostAnswer)
  t.match(await client.create('/1', 1), { outcome: 'found' })
  server.store(undefined)
  server.steps.push(neverSent, after(() => { server.store(2) }))
  await t.rejects(client.create('/1', 1), { code: 'OUTCOME_UNKNOWN', seen: 'changed', current: { value: 2 } })
})

await t.test('remove after a lost answer: done if it is gone, sent again if it is as it was, unknown if it is another version', async (t) => {
  for (const etag of ['"v0"', undefined]) {
    const server = stubServer(t, 1)
    server.steps.push(lostAnswer)
    const strategy = etag === undefined ? { overwrite: true } as const : { etag }
    t.strictSame(await createClient(server).remove('/1', strategy), { outcome: 'found' })
  }
  const server = stubServer(t, 1)
  const client = createClient(server)
  server.steps.push(neverSent, after(() => { server.store(2) }))
  await t.rejects(client.remove('/1', V0), { code: 'OUTCOME_UNKNOWN', seen: 'changed', sent: undefined })
  server.steps.push(neverSent)
  t.strictSame(await client.remove('/1', { etag: '"v1"' }), { outcome: 'confirmed' })
  await t.rejects(client.remove('/1', { etag: '"v1"' }), { name: 'RequestError', status: 404 })
})
