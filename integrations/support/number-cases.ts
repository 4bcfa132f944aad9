import t, { type Test } from 'tap'
import ifMatch from 'fastify-if-match'
import type { StorageAdapter } from 'fastify-if-match/storage'
import type { Mapping } from 'fastify-if-match/storage/statements'
import { ANY } from '../../test/support/expectations.js'
import { addOfferRoutes, newApp } from '../../test/support/offers-app.js'
import { wave } from '../../test/support/table/table.js'
import { numberOf } from '../number-of.js'
import { offer, type Offer } from '../offer.js'

/** The mapping of offers whose ids are numbers. */
export const numbered: Mapping<Offer, Offer> = { ...offer, toId: (key) => String(numberOf(key)) }

/** An adapter over a table of offers that makes its ids, with `numbered`, and a way to run SQL past it. */
export interface NumberedTable {
  adapter: StorageAdapter<Offer>
  rows: (sql: string) => Promise<unknown[]>
}

const OTHER_SPELLINGS = [
  '007', '05', '5.0', '5.', '1e1', '5e0', '+5', '-5', '0', '-0', '00', '0x5', '0b1', '5_0', ' 5', '5 ', '5\n',
  '\u00a05', '5%20', '\u0665', '\uff15', '5n', 'NaN', 'Infinity', 'null', 'undefined', '', '5/', '5,6', '2147483648',
  '9007199254740992', '9007199254740993', '1'.repeat(400)
]

/** What a client must show on a table that makes the ids of its rows. */
export async function numberCases (name: string, open: (t: Test) => Promise<NumberedTable>): Promise<void> {
  await t.test(`${name}: a row that PUT creates has the id of its key, though the table makes ids`, async (t) => {
    const { adapter, rows } = await open(t)
    const app = newApp(t)
    await app.register(ifMatch, { storage: adapter })
    addOfferRoutes(app)
    for (const id of [5, 1, 2147483647]) {
      const url = `/offers/${id}`
      const created = await app.inject({ method: 'PUT', url, headers: { 'if-none-match': '*' }, payload: wave })
      t.equal(created.statusCode, 201)
      const read = await app.inject(url)
      t.strictSame([read.statusCode, read.headers.etag, read.json()], [200, created.headers.etag, wave])
    }
    t.strictSame(await rows('SELECT id FROM offers ORDER BY id'), [{ id: 1 }, { id: 5 }, { id: 2147483647 }])
  })

  await t.test(`${name}: a number has one spelling: two keys never have the same row`, async (t) => {
    const { adapter, rows } = await open(t)
    for (const id of OTHER_SPELLINGS) {
      const key = `/offers/${id}`
      await t.rejects(adapter.write(key, wave, ANY), { code: 'FST_IF_MATCH_INVALID_KEY' }, JSON.stringify(id))
      await t.rejects(adapter.read(key), { code: 'FST_IF_MATCH_INVALID_KEY' })
    }
    t.strictSame(await rows('SELECT id FROM offers'), [])
  })
}
