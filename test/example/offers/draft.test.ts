import t from 'tap'
import { memoryAdapter } from 'fastify-if-match/storage/memory'
import { checkDocument, withDraft } from '../../../example/offers/draft.js'
import { draftOf } from '../../../example/offers/offer.js'
import type { OfferRecord } from '../../../example/offers/record.js'
import type { OfferDocument } from '../../../example/offers/schemas.js'
import { DOCUMENT, published, put, START, states } from '../../support/example/publications.js'

const PARAMS = { publisherId: 'contoso', offerId: 'tide-db' }

/** A document of so many levels, counting itself. */
function nested (levels: number): OfferDocument {
  let deep: unknown[] = []
  for (let level = 2; level < levels; level++) deep = [deep]
  return { ...DOCUMENT, deep } as OfferDocument
}

await t.test('a document may name its own address, and no other (reading 10)', async (t) => {
  for (const named of [{}, { id: 'tide-db' }, { publisherId: 'contoso' }, { id: 'tide-db', publisherId: 'contoso' }]) {
    t.doesNotThrow(() => checkDocument({ ...DOCUMENT, ...named }, PARAMS), JSON.stringify(named))
  }
  for (const id of ['other', '', 'Tide-DB', 'tide-db ']) {
    const error = { statusCode: 400, code: 'BadRequest', message: /^body\/id differs/ }
    t.throws(() => checkDocument({ ...DOCUMENT, id }, PARAMS), error, id)
  }
  for (const publisherId of ['fabrikam', '', 'Contoso']) {
    const error = { statusCode: 400, code: 'BadRequest', message: /^body\/publisherId differs/ }
    t.throws(() => checkDocument({ ...DOCUMENT, publisherId }, PARAMS), error, publisherId)
  }
})

await t.test('a document has 500 levels at most, however wide it is (reading 10)', async (t) => {
  t.doesNotThrow(() => checkDocument(nested(500), PARAMS))
  for (const levels of [501, 502, 100_000]) {
    const error = { statusCode: 400, code: 'BadRequest', message: /500 levels/ }
    t.throws(() => checkDocument(nested(levels), PARAMS), error, String(levels))
  }
  t.throws(() => checkDocument({ ...DOCUMENT, wide: [null, 1, 'text', {}, [nested(499)]] } as OfferDocument, PARAMS), {
    message: /500 levels/
  })
})

await t.test('a document takes 256 KiB at most, as it is kept (reading 10)', async (t) => {
  const empty = JSON.stringify({ ...DOCUMENT, fill: '' }).length
  const tooLarge = { statusCode: 413, code: 'DocumentTooLarge', message: /262144 bytes.*Send a smaller one/ }
  const filled = (fill: unknown) => ({ ...DOCUMENT, fill }) as OfferDocument
  const largest = filled('x'.repeat(256 * 1024 - empty))
  t.doesNotThrow(() => checkDocument(largest, PARAMS))
  t.doesNotThrow(() => checkDocument(draftOf(put(largest)), PARAMS), 'with the fields of the server, as GET shows it')
  t.throws(() => checkDocument(filled('x'.repeat(256 * 1024 - empty + 1)), PARAMS), tooLarge)
  t.throws(() => checkDocument(filled('ä'.repeat(128 * 1024)), PARAMS), tooLarge, 'bytes count, and not letters')
  const numbers = filled(Array(13_000).fill(1e20))
  t.throws(() => checkDocument(numbers, PARAMS), tooLarge, 'digits count that a client need not have written')
})

await t.test('a document of the largest depth can be stored, as a draft and once it is published', async (t) => {
  const storage = memoryAdapter<OfferRecord>()
  t.match(await storage.write('k', put(nested(500)), { kind: 'any' }), { applied: true })
  t.match(await storage.write('k', published(put(nested(500))), { kind: 'any' }), { applied: true })
})

await t.test('a first PUT makes an offer that was never published (readings 13 and 16)', async (t) => {
  t.strictSame(withDraft(undefined, DOCUMENT, PARAMS, START), {
    publisherId: 'contoso',
    id: 'tide-db',
    draft: { content: DOCUMENT, changedTime: '2031-04-02T00:00:00.0000000Z' },
    slots: {},
    versions: [],
    submissions: []
  })
})

await t.test('each further PUT replaces the draft as a whole, and nothing else (readings 12 and 15)', async (t) => {
  for (const record of Object.values(states)) {
    const before = put({ ...DOCUMENT, note: 'gone' } as OfferDocument, record())
    const after = withDraft(before, { offerTypeId: DOCUMENT.offerTypeId, other: 1 } as OfferDocument, PARAMS, START + 5)
    t.strictSame(after, {
      ...before,
      draft: { content: { offerTypeId: DOCUMENT.offerTypeId, other: 1 }, changedTime: '2031-04-02T00:00:00.0050000Z' }
    })
  }
})

await t.test('the type of an offer is fixed by its first PUT (reading 10)', async (t) => {
  t.throws(() => put({ ...DOCUMENT, offerTypeId: 'other' }, put()), {
    statusCode: 400,
    code: 'BadRequest',
    message: 'body/offerTypeId differs from that of the offer, which was fixed when it was created.'
  })
  t.doesNotThrow(() => put(DOCUMENT, states.live()))
})

await t.test('the fields of the server are ignored at the top level, and kept below it (reading 12)', async (t) => {
  const owned = {
    id: 'tide-db',
    publisherId: 'contoso',
    status: 'succeeded',
    version: 9,
    changedTime: 'then',
    offerTypeVersions: { a: 1 },
    eTag: 'a',
    Etag: 'b',
    etag: 'c',
    ETAG: 'd',
    pcMigrationStatus: 'none',
    pcRedirectUri: '',
    isvUpgradeRequest: false,
    lockStatus: 'none',
    offerTypeChanges: [],
    pricingNotRecalculatedRegions: [],
    offerTypeVersionsOverride: {}
  }
  const definition = { displayText: 'x', offer: owned, plans: [{ planId: 'small', ...owned }] }
  const own = { Status: 1, eTags: 2, Id: 3, constructor: 4, toString: 5, hasOwnProperty: 6 }
  t.strictSame(put({ ...owned, ...own, offerTypeId: 'x', definition } as unknown as OfferDocument).draft.content, {
    ...own,
    offerTypeId: 'x',
    definition
  })
})

await t.test('a document that GET shows can be PUT back, and leaves the draft as it was (reading 12)', async (t) => {
  for (const [state, record] of Object.entries(states)) {
    const before = record()
    const shown = draftOf(before)
    t.doesNotThrow(() => checkDocument(shown, PARAMS))
    t.strictSame(put(shown, before), before, state)
  }
})

await t.test('a name that is special in JavaScript is a name', async (t) => {
  const document = JSON.parse('{ "offerTypeId": "x", "__proto__": { "status": "polluted" } }') as OfferDocument
  const { content } = put(document).draft
  t.equal(Object.getPrototypeOf(content), Object.prototype)
  t.ok(Object.hasOwn(content, '__proto__'))
})
