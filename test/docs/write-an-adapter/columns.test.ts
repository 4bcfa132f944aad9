import t from 'tap'
import type { Offer } from './offers-adapter.js'
import { create, offer, subject } from './subject.js'

await t.test('own table: the id is the decoded one of the key', async (t) => {
  const { adapter, other } = subject(t)
  const ids = ['wave', 'a/b', '..', 'caf\u00e9 100%', '\u{1f600}', '\u20ac'.repeat(100)]
  for (const id of ids) {
    const key = `/offers/${encodeURIComponent(id)}`
    const version = await create(adapter, key)
    t.equal((await adapter.read(key))?.version, version)
  }
  t.strictSame(other.prepare('SELECT id FROM offers').pluck().all().sort(), ids.sort())
})

await t.test('own table: what is no key of an offer, or another spelling of one, is INVALID_KEY before anything is sent (E4)', async (t) => {
  const { adapter, handle } = subject(t)
  handle.isCut = true
  const wrong: unknown[] = [
    '',
    '/',
    '/offers',
    '/offers/',
    '/offer/wave',
    '/offers/wave/',
    '/offers/a/b',
    'x/offers/wave',
    '/Offers/wave',
    '/offers/%77ave',
    '/offers/a%2fb',
    '/offers/%',
    '/offers/%ff',
    '/offers/%00',
    '/offers/a b',
    '/offers/\ud800',
    `/offers/${'x'.repeat(101)}`,
    1,
    null,
    undefined,
    ['/offers/wave'],
    Object('/offers/wave')
  ]
  for (const key of wrong as string[]) {
    await t.rejects(adapter.read(key), { code: 'FST_IF_MATCH_INVALID_KEY' }, String(key))
    await t.rejects(adapter.write(key, offer, { kind: 'any' }), { code: 'FST_IF_MATCH_INVALID_KEY' })
    await t.rejects(adapter.remove(key, { kind: 'exists' }), { code: 'FST_IF_MATCH_INVALID_KEY' })
  }
})

await t.test('own table: every column is written and comes back as it was, and plain SQL sees its type', async (t) => {
  const { adapter, other } = subject(t)
  const values: Offer[] = [
    { title: '', price: 0, published: true },
    { title: "'; -- \u{1f600}\r\n", price: Number.MAX_SAFE_INTEGER, published: false },
    { title: 'null', price: 1, published: true }
  ]
  for (const value of values) {
    await create(adapter, '/offers/wave', value)
    t.strictSame((await adapter.read('/offers/wave'))?.value, value, 'created')
    await adapter.write('/offers/wave', offer, { kind: 'exists' })
    t.strictSame((await adapter.read('/offers/wave'))?.value, offer, 'replaced')
    t.strictSame(other.prepare('SELECT title, price, published FROM offers WHERE price BETWEEN 1800 AND 2000').all(), [
      { title: 'Wave', price: 1900, published: 0 }
    ])
    t.strictSame(other.prepare('SELECT typeof(title) AS title, typeof(price) AS price FROM offers').all(), [
      { title: 'text', price: 'integer' }
    ])
    await adapter.remove('/offers/wave', { kind: 'exists' })
    t.strictSame(other.prepare('SELECT * FROM offers').all(), [], 'removed')
  }
})

await t.test('own table: a value that is no offer is INVALID_VALUE before anything is sent (E4)', async (t) => {
  const { adapter, handle } = subject(t)
  handle.isCut = true
  const wrong: unknown[] = [
    undefined,
    null,
    1,
    'Wave',
    [],
    [offer],
    {},
    { title: 'Wave', price: 1900 },
    { ...offer, vendor: 'contoso' },
    { ...offer, title: 1 },
    { ...offer, title: '\ud800' },
    { ...offer, title: 'a\0b' },
    { ...offer, price: '1900' },
    { ...offer, price: 0.5 },
    { ...offer, price: NaN },
    { ...offer, price: 2 ** 53 },
    { ...offer, published: 1 }
  ]
  for (const value of wrong as Offer[]) {
    await t.rejects(
      adapter.write('/offers/wave', value, { kind: 'any' }),
      { code: 'FST_IF_MATCH_INVALID_VALUE', statusCode: 422 },
      JSON.stringify(value)
    )
  }
})

await t.test('own table: a row that a constraint refuses is INVALID_VALUE, and nothing changes', async (t) => {
  const { adapter } = subject(t)
  await create(adapter, '/offers/wave')
  const before = await adapter.read('/offers/wave')
  await t.rejects(adapter.write('/offers/wave', { ...offer, price: -1 }, { kind: 'any' }), {
    code: 'FST_IF_MATCH_INVALID_VALUE'
  })
  await t.rejects(adapter.write('/offers/new', { ...offer, price: -1 }, { kind: 'absent' }), {
    code: 'FST_IF_MATCH_INVALID_VALUE'
  })
  t.strictSame(await adapter.read('/offers/wave'), before)
  t.equal(await adapter.read('/offers/new'), undefined)
})

await t.test('own table: plain SQL that makes or changes a row gives it a version that was never there (R14)', async (t) => {
  const { adapter, other } = subject(t)
  other.exec("INSERT INTO offers (id, title, price, published) VALUES ('wave', 'Wave', 1900, 0)")
  const made = await adapter.read('/offers/wave')
  t.match(made, { value: offer, version: /^[0-9a-f]{24}$/ })
  await adapter.write('/offers/wave', offer, { kind: 'exists' }, { digest: 'd' })
  const written = await adapter.read('/offers/wave')
  other.exec("UPDATE offers SET price = 2000 WHERE id = 'wave'")
  const changed = await adapter.read('/offers/wave')
  t.match(changed, { value: { price: 2000 }, replaced: written!.version, digest: undefined })
  t.equal(new Set([made, written, changed].map((stored) => stored!.version)).size, 3)
  t.strictSame(await adapter.write('/offers/wave', offer, { kind: 'version', versions: [written!.version] }), {
    applied: false,
    current: changed
  })
})
