import t from 'tap'
import type { Offer } from '../../docs/write-an-adapter/offer.js'
import { ABSENT, ANY, EXISTS, versionIn } from '../expectations.js'
import { create, KEY, wave, type OpenTable } from './table.js'

const NO_KEYS: unknown[] = [
  '', '/', '/offers', '/offers/', '/offer/wave', '/offers/wave/', '/offers/a/b', 'x/offers/wave', '/Offers/wave',
  '/offers/%77ave', '/offers/a%2fb', '/offers/%', '/offers/%ff', '/offers/%00', '/offers/a b', '/offers/\ud800',
  `/offers/${'x'.repeat(101)}`, 1, null, undefined, ['/offers/wave'], Object('/offers/wave')
]

const NO_OFFERS: unknown[] = [
  null, 1, 'Wave', [], [wave], {}, { title: 'Wave', price: 1900 }, { ...wave, vendor: 'contoso' },
  { ...wave, title: 1 }, { ...wave, title: '\ud800' }, { ...wave, title: 'a\0b' },
  { ...wave, price: '1900' }, { ...wave, price: 0.5 }, { ...wave, price: 2 ** 53 },
  { ...wave, published: 1 }
]

const NO_JSON: unknown[] = [undefined, { ...wave, price: NaN }, { ...wave, title: new Date(0) }, { ...wave, price: 1n }]

/** How keys and values become rows. */
export async function columnCases (name: string, open: OpenTable): Promise<void> {
  await t.test(`${name}: the id of the row is the decoded one of the key`, async (t) => {
    const { adapter, rows } = await open(t)
    const ids = ['wave', 'a/b', '..', 'caf\u00e9 100%', '\u{1f600}', '\u20ac'.repeat(100)]
    for (const id of ids) {
      const key = `/offers/${encodeURIComponent(id)}`
      const version = await create(adapter, key)
      t.equal((await adapter.read(key))?.version, version)
    }
    const stored = await rows('SELECT id FROM offers') as Array<{ id: string }>
    t.strictSame(stored.map(({ id }) => id).sort(), ids.sort())
  })

  await t.test(`${name}: a key that is none of an offer, and another spelling of one, is INVALID_KEY before anything is sent`, async (t) => {
    const { adapter, hooks } = await open(t)
    hooks.before = () => { throw new Error('sent') }
    for (const key of NO_KEYS as string[]) {
      await t.rejects(adapter.read(key), { code: 'FST_IF_MATCH_INVALID_KEY' }, String(key))
      await t.rejects(adapter.write(key, wave, ANY), { code: 'FST_IF_MATCH_INVALID_KEY' })
      await t.rejects(adapter.remove(key, EXISTS), { code: 'FST_IF_MATCH_INVALID_KEY' })
    }
  })

  await t.test(`${name}: a value that is no offer is INVALID_VALUE, and one that no client can send NOT_JSON, before anything is sent`, async (t) => {
    const { adapter, hooks } = await open(t)
    hooks.before = () => { throw new Error('sent') }
    const refused = { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422 }
    for (const value of NO_OFFERS as Offer[]) {
      await t.rejects(adapter.write(KEY, value, ANY), refused, JSON.stringify(value))
    }
    for (const value of NO_JSON as Offer[]) {
      await t.rejects(adapter.write(KEY, value, ANY), { code: 'FST_IF_MATCH_NOT_JSON', statusCode: 500 })
    }
  })

  await t.test(`${name}: every column is written by a creation and by a change, and comes back as it was`, async (t) => {
    const { adapter, rows } = await open(t)
    const values: Offer[] = [
      { title: '', price: 0, published: true },
      { title: "'; -- \u{1f600}\r\n", price: Number.MAX_SAFE_INTEGER, published: false },
      { title: 'null', price: 1, published: true }
    ]
    for (const value of values) {
      await create(adapter, KEY, value)
      t.strictSame((await adapter.read(KEY))?.value, value, 'created')
      await adapter.write(KEY, wave, EXISTS)
      t.strictSame((await adapter.read(KEY))?.value, wave, 'changed')
      t.strictSame(await rows('SELECT title FROM offers WHERE price BETWEEN 1800 AND 2000 AND NOT published'), [
        { title: 'Wave' }
      ], 'the columns have their types')
      await adapter.remove(KEY, EXISTS)
      t.strictSame(await rows('SELECT id FROM offers'), [], 'removed')
    }
  })

  await t.test(`${name}: a row that a constraint refuses is INVALID_VALUE, and nothing changes`, async (t) => {
    const { adapter } = await open(t)
    await create(adapter)
    const before = await adapter.read(KEY)
    const dear = { ...wave, price: -1 }
    await t.rejects(adapter.write(KEY, dear, ANY), { code: 'FST_IF_MATCH_INVALID_VALUE' })
    await t.rejects(adapter.write('/offers/new', dear, ABSENT), { code: 'FST_IF_MATCH_INVALID_VALUE' })
    t.strictSame(await adapter.read(KEY), before)
    t.equal(await adapter.read('/offers/new'), undefined)
  })

  await t.test(`${name}: plain SQL that makes or changes a row gives it a version that was never there`, async (t) => {
    const { adapter, act } = await open(t)
    await act("INSERT INTO offers (id, title, price, published) VALUES ('wave', 'Wave', 1900, FALSE)")
    const made = await adapter.read(KEY)
    t.match(made, { value: wave, version: /^[0-9a-f]{24,32}$/ })
    await adapter.write(KEY, wave, EXISTS, { digest: 'd' })
    const written = await adapter.read(KEY)
    await act("UPDATE offers SET price = 2000 WHERE id = 'wave'")
    const changed = await adapter.read(KEY)
    t.match(changed, { value: { price: 2000 }, replaced: written!.version, digest: undefined })
    t.equal(new Set([made, written, changed].map((stored) => stored!.version)).size, 3)
    t.strictSame(await adapter.write(KEY, wave, versionIn(written!.version)), { applied: false, current: changed })
  })
}
