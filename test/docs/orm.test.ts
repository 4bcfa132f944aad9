import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import ifMatch from 'fastify-if-match'
import type { Offer } from './orm/offer.js'
import { KEY, subjects, wave, type Subject } from './orm/subjects.js'

await t.test('guide: its code is the files that are type-checked and run here', async (t) => {
  const blocks = readFileSync('docs/guides/orm.md', 'utf8').split(/^```\w*\n/m)
  for (const file of [
    'drizzle.sql',
    'drizzle-adapter.ts',
    'typeorm-adapter.ts',
    'drizzle-adapter.test.ts',
    'anything.ts'
  ]) {
    t.ok(blocks.includes(readFileSync(`test/docs/orm/${file}`, 'utf8')), file)
  }
})

/** An app over the model; `meet` is awaited by the handler of PUT. */
async function appOver (t: Test, { adapter, transaction }: Subject, meet: () => Promise<void> = async () => {}) {
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
  app.patch('/offers/:id', { config }, async (request) => await transaction(async (client, note) => {
    await note('patched')
    await meet()
    return (
      await request
        .entity<Offer>(undefined, { client })
        .update((current) => ({ ...current, ...(request.body as Partial<Offer>) }))
    ).value
  }))
  app.delete('/offers/:id', { config }, async (request, reply) => {
    await request.entity().remove()
    return reply.code(204).send()
  })
  const send = async (method: 'PUT' | 'PATCH' | 'DELETE', headers: Record<string, string>, payload?: object) =>
    await app.inject({ method, url: KEY, headers, ...(payload && { payload }) })
  return { app, send }
}

for (const [orm, subject] of Object.entries(subjects)) {
  await t.test(`${orm}: an app creates, reads, changes and removes its rows under tags; a stale tag is 412, none is 400 (R1, R5, R6)`, async (t) => {
    const { app, send } = await appOver(t, await subject(t))
    const created = await send('PUT', { 'if-none-match': '*' }, wave)
    t.equal(created.statusCode, 201)
    const etag = created.headers.etag as string
    const read = await app.inject(KEY)
    t.strictSame([read.json(), read.headers.etag], [wave, etag])
    const replaced = await send('PUT', { 'if-match': etag }, { ...wave, price: 2000 })
    t.equal(replaced.statusCode, 200)
    const stale = await send('PUT', { 'if-match': etag }, wave)
    t.strictSame([stale.statusCode, stale.headers.etag], [412, replaced.headers.etag])
    t.equal((await send('DELETE', { 'if-match': etag })).statusCode, 412)
    t.equal((await send('PUT', { 'if-none-match': '*' }, wave)).statusCode, 412)
    t.equal((await send('PUT', {}, wave)).statusCode, 400)
    t.strictSame((await app.inject(KEY)).json(), { ...wave, price: 2000 })
    t.equal((await send('DELETE', { 'if-match': '*' })).statusCode, 204)
    t.equal((await app.inject(KEY)).statusCode, 404)
    t.equal((await send('PUT', { 'if-none-match': '*' }, wave)).statusCode, 201)
    t.equal((await send('PUT', { 'if-match': etag }, wave)).statusCode, 412, 'a tag of the removed one')
  })

  await t.test(`${orm}: of two writers with one tag that are both in the handler, one is 200 and one is 412 with the tag of the first (R57, R63)`, async (t) => {
    let isMeeting = false
    const arrived: Array<() => void> = []
    const { app, send } = await appOver(t, await subject(t), async () => {
      if (!isMeeting) return
      await new Promise<void>((resolve) => {
        arrived.push(resolve)
        if (arrived.length === 2) for (const go of arrived) go()
      })
    })
    const etag = (await send('PUT', { 'if-none-match': '*' }, wave)).headers.etag as string
    isMeeting = true
    const answers = await Promise.all(
      ['Left', 'Right'].map(async (title) => await send('PUT', { 'if-match': etag }, { ...wave, title }))
    )
    t.equal(arrived.length, 2, 'the early comparison let both of them in')
    const [won, lost] = answers.toSorted((a, b) => a.statusCode - b.statusCode)
    t.strictSame([won!.statusCode, lost!.statusCode], [200, 412])
    t.equal(lost!.headers.etag, won!.headers.etag)
    t.strictSame((await app.inject(KEY)).json(), won!.json())
  })

  await t.test(`${orm}: a handler writes rows of its own in the transaction of the entity, and a 412 takes them back`, async (t) => {
    const stage = await subject(t)
    const { send } = await appOver(t, stage)
    const etag = (await send('PUT', { 'if-none-match': '*' }, wave)).headers.etag as string
    const patched = await send('PATCH', { 'if-match': etag }, { price: 1 })
    t.strictSame([patched.statusCode, patched.json()], [200, { ...wave, price: 1 }])
    t.strictSame(await stage.rows('SELECT note, price FROM audit, offers'), [{ note: 'patched', price: 1 }])

    // Behind the early comparison another writer is faster, so the refusal comes from inside the transaction.
    const late = await appOver(t, {
      ...stage,
      transaction: async (run) => {
        await stage.act("UPDATE offers SET price = 2 WHERE id = 'wave'")
        return await stage.transaction(run)
      }
    })
    t.equal((await late.send('PATCH', { 'if-match': patched.headers.etag as string }, { price: 3 })).statusCode, 412)
    t.strictSame(await stage.rows('SELECT note, price FROM audit, offers'), [{ note: 'patched', price: 2 }])
  })
}
