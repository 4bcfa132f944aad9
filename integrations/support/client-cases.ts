import t from 'tap'
import ifMatch from 'fastify-if-match'
import { newApp } from '../../test/support/offers-app.js'
import { ABSENT, EXISTS, versionIn } from '../../test/support/expectations.js'
import { tableCases } from '../../test/support/table/cases.js'
import { create, KEY, verbOf, wave } from '../../test/support/table/table.js'
import type { Offer } from '../offer.js'
import type { OpenClientTable } from './client-table.js'

/** What every client must show beside the conformance suite. */
export async function clientCases (name: string, open: OpenClientTable): Promise<void> {
  await tableCases(name, open)

  await t.test(`${name}: a write whose answer is lost is applied if the row proves it, and never sent again; a removal is OUTCOME_UNKNOWN`, async (t) => {
    const { adapter, hooks } = await open(t)
    const sent: string[] = []
    hooks.before = (sql) => sent.push(verbOf(sql))
    hooks.after = (sql) => { if (verbOf(sql) !== 'SELECT') throw new Error('the connection was closed') }
    t.match(await adapter.write(KEY, wave, ABSENT), { applied: true, created: true })
    t.match(await adapter.write(KEY, wave, EXISTS), { applied: true, created: false })
    await t.rejects(adapter.remove(KEY, EXISTS), { code: 'FST_IF_MATCH_OUTCOME_UNKNOWN' })
    t.strictSame(sent, ['INSERT', 'SELECT', 'UPDATE', 'SELECT', 'DELETE'])
  })

  await t.test(`${name}: a column of the model that is no part of the value is set by the client, as ever`, async (t) => {
    const { adapter, act, rows } = await open(t)
    await create(adapter)
    await act("UPDATE offers SET updated_at = '2001-01-01 00:00:00'")
    await adapter.write(KEY, { ...wave, title: 'Changed' }, EXISTS)
    const changed = await rows("SELECT title FROM offers WHERE updated_at > '2020-01-01 00:00:00'")
    t.strictSame(changed, [{ title: 'Changed' }])
  })

  await t.test(`${name}: in a transaction a write goes with the rows of the app, and a refusal rolls all of it back`, async (t) => {
    const { adapter, rows, transaction } = await open(t)
    const version = await create(adapter)
    const save = async (title: string) => await transaction(async (client, note) => {
      await note(title)
      const result = await adapter.write(KEY, { ...wave, title }, versionIn(version), { context: { client } })
      if (!result.applied) throw new Error('refused')
      t.match(await adapter.read(KEY, { context: { client } }), { value: { title } }, 'it sees its own write')
    })
    await save('first')
    await t.rejects(save('second'), { message: 'refused' })
    t.strictSame(await rows('SELECT note, title FROM notes, offers'), [{ note: 'first', title: 'first' }])
    await t.rejects(transaction(async (client) => {
      await adapter.remove(KEY, EXISTS, { context: { client } })
      throw new Error('of the app')
    }), { message: 'of the app' })
    t.match(await adapter.read(KEY), { value: { title: 'first' } })
  })

  await t.test(`${name}: a handler writes rows of its own in the transaction of the entity, and a 412 takes them back`, async (t) => {
    const { adapter, act, rows, transaction } = await open(t)
    const app = newApp(t)
    await app.register(ifMatch, { storage: adapter })
    let isLate = false
    app.patch('/offers/:id', { config: { ifMatch: true } }, async (request) => {
      // Behind the early comparison another writer is faster, so the refusal comes from inside the transaction.
      if (isLate) await act("UPDATE offers SET price = 2 WHERE id = 'wave'")
      return await transaction(async (client, note) => {
        await note('patched')
        const offer = request.entity<Offer>(undefined, { client })
        return (await offer.update((current) => ({ ...current, ...request.body as Partial<Offer> }))).value
      })
    })
    const patch = async (etag: string, payload: Partial<Offer>) =>
      await app.inject({ method: 'PATCH', url: KEY, headers: { 'if-match': etag }, payload })
    const patched = await patch(`"${await create(adapter)}"`, { price: 1 })
    t.strictSame([patched.statusCode, patched.json()], [200, { ...wave, price: 1 }])
    t.strictSame(await rows('SELECT note, price FROM notes, offers'), [{ note: 'patched', price: 1 }])

    isLate = true
    t.equal((await patch(patched.headers.etag as string, { price: 3 })).statusCode, 412)
    t.strictSame(await rows('SELECT note, price FROM notes, offers'), [{ note: 'patched', price: 2 }])
  })
}
