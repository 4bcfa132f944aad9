import t, { type Test } from 'tap'
import type { StorageAdapter } from 'fastify-if-match'
import type { Offer } from '../../docs/write-an-adapter/offer.js'
import { aroundAdapter } from '../around-adapter.js'
import { offersApp } from '../offers-app.js'
import { KEY, wave, type OpenTable } from './table.js'

type Method = 'GET' | 'PUT' | 'PATCH' | 'DELETE'

/** An app over the table, and how to send it requests of the offer. */
async function appOver (t: Test, storage: StorageAdapter<Offer>) {
  const { app } = await offersApp(t, { storage: storage as StorageAdapter })
  return async (method: Method, headers: Record<string, string> = {}, payload?: object) =>
    await app.inject({ method, url: KEY, headers, ...payload && { payload } })
}

/** An app whose entities are the rows of the table. */
export async function appCases (name: string, open: OpenTable): Promise<void> {
  await t.test(`${name}: an app creates, reads, changes and removes a row under tags; a stale tag is 412, no header 400`, async (t) => {
    const { adapter, rows } = await open(t)
    const send = await appOver(t, adapter)
    const titleAndPrice = async () => await rows('SELECT title, price FROM offers')
    const created = await send('PUT', { 'if-none-match': '*' }, wave)
    t.equal(created.statusCode, 201)
    t.strictSame(await titleAndPrice(), [{ title: 'Wave', price: 1900 }])
    const etag = created.headers.etag as string
    const read = await send('GET')
    t.strictSame([read.json(), read.headers.etag], [wave, etag])
    t.equal((await send('GET', { 'if-none-match': etag })).statusCode, 304)

    const patched = await send('PATCH', { 'if-match': etag }, { price: 2000 })
    t.strictSame([patched.statusCode, patched.json()], [200, { ...wave, price: 2000 }])
    const stale = await send('PUT', { 'if-match': etag }, wave)
    t.strictSame([stale.statusCode, stale.headers.etag], [412, patched.headers.etag])
    t.equal((await send('DELETE', { 'if-match': etag })).statusCode, 412)
    t.equal((await send('PUT', { 'if-none-match': '*' }, wave)).statusCode, 412)
    t.equal((await send('PUT', {}, wave)).statusCode, 400)
    t.strictSame(await titleAndPrice(), [{ title: 'Wave', price: 2000 }])

    t.equal((await send('PUT', { 'if-match': `"a", ${patched.headers.etag as string}` }, wave)).statusCode, 200)
    t.equal((await send('PATCH', { 'if-match': '*' }, { published: true })).statusCode, 200)
    t.strictSame((await send('GET')).json(), { ...wave, published: true })
    t.equal((await send('DELETE', { 'if-match': '*' })).statusCode, 204)
    t.strictSame(await titleAndPrice(), [])
    t.equal((await send('GET')).statusCode, 404)
    t.equal((await send('PUT', { 'if-none-match': '*' }, wave)).statusCode, 201)
    t.equal((await send('PUT', { 'if-match': etag }, wave)).statusCode, 412, 'a tag of the removed row')
  })

  await t.test(`${name}: of two writers with one tag that both passed the early comparison, one is 200, and one 412 with the tag of the first`, async (t) => {
    const { adapter } = await open(t)
    let arrived = 0
    let start!: () => void
    const bothArrived = new Promise<void>((resolve) => { start = resolve })
    const created = await (await appOver(t, adapter))('PUT', { 'if-none-match': '*' }, wave)
    const send = await appOver(t, aroundAdapter(adapter, async (step, operation) => {
      if (operation === 'write' && ++arrived === 2) start()
      if (operation === 'write') await bothArrived
      return await step()
    }))
    const put = async (title: string) =>
      await send('PUT', { 'if-match': created.headers.etag as string }, { ...wave, title })
    const [won, lost] = (await Promise.all([put('Left'), put('Right')])).toSorted((a, b) => a.statusCode - b.statusCode)
    t.strictSame([won!.statusCode, lost!.statusCode], [200, 412])
    t.equal(lost!.headers.etag, won!.headers.etag)
    t.strictSame((await send('GET')).json(), won!.json())
  })

  await t.test(`${name}: a body that is no offer, or that a constraint refuses, is 422, and the row and its tag stay`, async (t) => {
    const { adapter, rows } = await open(t)
    const send = await appOver(t, adapter)
    const etag = (await send('PUT', { 'if-none-match': '*' }, wave)).headers.etag as string
    const others = [{ price: 'dear' }, { title: undefined }, { vendor: 'contoso' }, { price: -1 }]
    for (const body of others.map((other) => ({ ...wave, ...other }))) {
      for (const tag of [etag, '*']) {
        const answer = await send('PUT', { 'if-match': tag }, body)
        t.match([answer.statusCode, answer.json()], [422, { code: 'FST_IF_MATCH_INVALID_VALUE' }])
      }
    }
    t.strictSame(await rows('SELECT title, price FROM offers'), [{ title: 'Wave', price: 1900 }])
    t.equal((await send('GET')).headers.etag, etag)
  })

  await t.test(`${name}: an address that is none of an offer is 400`, async (t) => {
    const { adapter } = await open(t)
    const { app } = await offersApp(t, { storage: adapter as StorageAdapter })
    t.match((await app.inject('/offers/%00')).json(), { statusCode: 400, code: 'FST_IF_MATCH_INVALID_KEY' })
  })
}
