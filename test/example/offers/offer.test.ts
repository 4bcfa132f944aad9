import t from 'tap'
import { settle } from '../../../example/offers/lifecycle.js'
import { draftOf, publishedOf, slotNamed, slotOf, statusOf, summaryOf } from '../../../example/offers/offer.js'
import type { OfferDocument } from '../../../example/offers/schemas.js'
import { DOCUMENT, published, put, START, states, STEP } from '../../support/example/publications.js'

const OWNED = { publisherId: 'contoso', id: 'tide-db', changedTime: '2031-04-02T00:00:00.0000000Z' }
const renamed = { ...DOCUMENT, definition: { ...DOCUMENT.definition, displayText: 'Renamed' } }

/** Version 1 is live, version 2 in preview, and the draft is something else. */
function inAllSlots () {
  const second = published(put(renamed, states.live(), START + 20 * STEP), { id: 'p2', now: START + 21 * STEP })
  return put({ ...DOCUMENT, note: 'draft' } as OfferDocument, settle(second, START + 30 * STEP), START + 31 * STEP)
}

await t.test('status: neverPublished, then the state of the newest publication', async (t) => {
  t.equal(statusOf(put()), 'neverPublished')
  t.equal(statusOf(published(states.failed(), { id: 'p2' })), 'running')
  t.equal(statusOf(put(renamed, states.live())), 'succeeded')
})

await t.test('the draft: the document and the fields of the server; version 0 before the first publish (reading 16)', async (t) => {
  t.strictSame(draftOf(put()), { ...DOCUMENT, ...OWNED, status: 'neverPublished', version: 0 })
  const { submissions: [newest], ...forgetful } = inAllSlots()
  t.equal(draftOf({ ...forgetful, submissions: [newest!] }).version, 2, 'also once the first version is forgotten')
  t.strictSame(draftOf(inAllSlots()), {
    ...DOCUMENT,
    note: 'draft',
    ...OWNED,
    changedTime: '2031-04-02T00:00:31.0000000Z',
    status: 'waitingForPublisherReview',
    version: 2
  })
})

await t.test('a version: the draft as it was published, with the status of the offer (readings 16 and 17)', async (t) => {
  const record = inAllSlots()
  const status = 'waitingForPublisherReview'
  t.strictSame(publishedOf(record, 1), { ...DOCUMENT, ...OWNED, status, version: 1 })
  t.strictSame(publishedOf(record, 2), {
    ...renamed,
    ...OWNED,
    changedTime: '2031-04-02T00:00:20.0000000Z',
    status,
    version: 2
  })
})

await t.test('a version that does not exist, the draft included: 404 (reading 16)', async (t) => {
  for (const version of [0, 3, -1, 1.5, NaN, Infinity]) {
    const error = { statusCode: 404, code: 'VersionNotFound', message: /no such version/ }
    t.throws(() => publishedOf(inAllSlots(), version), error, String(version))
  }
  t.throws(() => publishedOf(put(), 0), { code: 'VersionNotFound', message: /no such version/ })
})

await t.test('slots: by their names in any case; another name is 400 (reading 34)', async (t) => {
  for (const [slot, ...names] of [
    ['draft', 'Draft', 'draft', 'DRAFT'],
    ['preview', 'Preview', 'pReViEw'],
    ['production', 'Production', 'production']
  ] as const) {
    for (const name of names) t.equal(slotNamed(name), slot)
  }
  for (const name of ['', 'staging', 'view', ' draft', 'draft ', 'constructor', '__proto__', 'toString', '1']) {
    const error = { statusCode: 400, code: 'BadRequest', message: /Draft, Preview and Production/ }
    t.throws(() => slotNamed(name), error, name)
  }
})

await t.test('slots: what they hold; an empty one is 404 (reading 20)', async (t) => {
  const record = inAllSlots()
  t.strictSame(slotOf(record, 'draft'), draftOf(record))
  t.strictSame(slotOf(record, 'preview'), publishedOf(record, 2))
  t.strictSame(slotOf(record, 'production'), publishedOf(record, 1))
  for (const slot of ['preview', 'production'] as const) {
    t.throws(() => slotOf(put(), slot), { statusCode: 404, code: 'SlotEmpty', message: new RegExp(slot) })
  }
  t.throws(() => slotOf(states.live(), 'preview'), { code: 'SlotEmpty', message: /preview/ })
  t.throws(() => slotOf(states.waiting(), 'production'), { code: 'SlotEmpty', message: /production/ })
})

await t.test('summary: the definition is the name alone, or nothing (reading 33)', async (t) => {
  t.strictSame(summaryOf(inAllSlots()), { ...draftOf(inAllSlots()), definition: { displayText: 'Tide DB' } })
  for (const definition of [undefined, {}, { plans: [] }]) {
    const record = put({ offerTypeId: 'x', ...definition && { definition } })
    t.strictSame(summaryOf(record), {
      offerTypeId: 'x',
      ...OWNED,
      status: 'neverPublished',
      version: 0,
      definition: {}
    })
  }
  t.strictSame(summaryOf(put({ offerTypeId: 'x', definition: { displayText: '' } })).definition, { displayText: '' })
})
