import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import ifMatch from 'fastify-if-match'
import type { Offer } from './write-an-adapter/offers-adapter.js'
import { offer, subject } from './write-an-adapter/subject.js'

await t.test('guide: its code is the files that are type-checked and run here', async (t) => {
  const blocks = readFileSync('docs/guides/write-an-adapter.md', 'utf8').split(/^```\w*\n/m)
  for (const file of ['offers.sql', 'offers-adapter.ts', 'offers-adapter.test.ts']) {
    t.ok(blocks.includes(readFileSync(`test/docs/write-an-adapter/${file}`, 'utf8')), file)
  }
})

/** An app over the table of the guide; `meet` is awaited by the handler of PUT. */
async function appOver (t: Test, meet: () => Promise<void> = async () => {}) {
  const { adapter, other } = subject(t)
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(ifMatch, { storage: adapter })
  const config = { ifMatch: true }
  app.get('/offers/:id', { config }, async (request) => (await request.entity<Offer>().read()).value)
  app.put('/offers/:id', { config }, async (request, reply) => {
    await meet()
    const saved = await request.entity<Offer>().replace(request.body as Offer)
    return reply.code(saved.created ? 201 : 200).send(saved.value)
  })
  app.patch(
    '/offers/:id',
    { config },
    async (request) =>
      (await request.entity<Offer>().update((current) => ({ ...current, ...(request.body as Partial<Offer>) }))).value
  )
  app.delete('/offers/:id', { config }, async (request, reply) => {
    await request.entity().remove()
    return reply.code(204).send()
  })
  const send = async (method: 'PUT' | 'PATCH' | 'DELETE', headers: Record<string, string>, payload?: object) =>
    await app.inject({ method, url: '/offers/wave', headers, ...(payload && { payload }) })
  const rows = () => other.prepare('SELECT id, title, price, published FROM offers').all()
  return { app, send, rows }
}

const STORED = { id: 'wave', title: 'Wave', price: 1900, published: 0 }

await t.test('own table: an app creates, reads, changes and removes its rows under tags; a stale tag is 412, none is 400 (R1, R5, R6)', async (t) => {
  const { app, send, rows } = await appOver(t)
  const created = await send('PUT', { 'if-none-match': '*' }, offer)
  t.equal(created.statusCode, 201)
  t.strictSame(rows(), [STORED])
  const etag = created.headers.etag as string
  const read = await app.inject('/offers/wave')
  t.strictSame([read.json(), read.headers.etag], [offer, etag])
  t.equal((await app.inject({ url: '/offers/wave', headers: { 'if-none-match': etag } })).statusCode, 304)

  const patched = await send('PATCH', { 'if-match': etag }, { price: 2000 })
  t.strictSame([patched.statusCode, patched.json()], [200, { ...offer, price: 2000 }])
  const stale = await send('PUT', { 'if-match': etag }, offer)
  t.strictSame([stale.statusCode, stale.headers.etag], [412, patched.headers.etag])
  t.equal((await send('DELETE', { 'if-match': etag })).statusCode, 412)
  t.equal((await send('PUT', { 'if-none-match': '*' }, offer)).statusCode, 412)
  t.equal((await send('PUT', {}, offer)).statusCode, 400)
  t.strictSame(rows(), [{ ...STORED, price: 2000 }])

  t.equal((await send('PUT', { 'if-match': `"a", ${patched.headers.etag as string}` }, offer)).statusCode, 200)
  t.equal((await send('PATCH', { 'if-match': '*' }, { published: true })).statusCode, 200)
  t.strictSame(rows(), [{ ...STORED, published: 1 }])
  t.equal((await send('DELETE', { 'if-match': '*' })).statusCode, 204)
  t.strictSame(rows(), [])
  t.equal((await app.inject('/offers/wave')).statusCode, 404)
  const again = await send('PUT', { 'if-none-match': '*' }, offer)
  t.equal(again.statusCode, 201)
  t.equal((await send('PUT', { 'if-match': etag }, offer)).statusCode, 412, 'a tag of the removed one')
})

await t.test('own table: of two writers with one tag that are both in the handler, one is 200 and one is 412 with the tag of the first (R57, R63)', async (t) => {
  let isMeeting = false
  const arrived: Array<() => void> = []
  const { app, send } = await appOver(t, async () => {
    if (!isMeeting) return
    await new Promise<void>((resolve) => {
      arrived.push(resolve)
      if (arrived.length === 2) for (const go of arrived) go()
    })
  })
  const etag = (await send('PUT', { 'if-none-match': '*' }, offer)).headers.etag as string
  isMeeting = true
  const answers = await Promise.all(
    ['Left', 'Right'].map(async (title) => await send('PUT', { 'if-match': etag }, { ...offer, title }))
  )
  t.equal(arrived.length, 2, 'the early comparison let both of them in')
  const [won, lost] = answers.toSorted((a, b) => a.statusCode - b.statusCode)
  t.strictSame([won!.statusCode, lost!.statusCode], [200, 412])
  t.equal(lost!.headers.etag, won!.headers.etag)
  t.strictSame((await app.inject('/offers/wave')).json(), won!.json())
})

await t.test('own table: a body that is no offer, or that a constraint refuses, is 422, and the row and its tag stay (R41)', async (t) => {
  const { app, send, rows } = await appOver(t)
  const etag = (await send('PUT', { 'if-none-match': '*' }, offer)).headers.etag as string
  for (const body of [
    { ...offer, price: 'cheap' },
    { title: 'Wave' },
    { ...offer, vendor: 'contoso' },
    { ...offer, price: -1 }
  ]) {
    for (const ifMatch of [etag, '*']) {
      const answer = await send('PUT', { 'if-match': ifMatch }, body)
      t.match([answer.statusCode, answer.json()], [422, { code: 'FST_IF_MATCH_INVALID_VALUE' }])
    }
  }
  t.strictSame(rows(), [STORED])
  t.equal((await app.inject('/offers/wave')).headers.etag, etag)
})

await t.test('own table: an address that is no id of the table is 400 (FST_IF_MATCH_INVALID_KEY)', async (t) => {
  const { app } = await appOver(t)
  t.match((await app.inject('/offers/%00')).json(), { statusCode: 400, code: 'FST_IF_MATCH_INVALID_KEY' })
})
