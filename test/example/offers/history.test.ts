import t from 'tap'
import { cancel, goLive, settle, versionOf } from '../../../example/offers/lifecycle.js'
import { MAX_DOCUMENT, MAX_HISTORY, sizeOf } from '../../../example/offers/limits.js'
import { slotOf } from '../../../example/offers/offer.js'
import type { OfferDocument } from '../../../example/offers/schemas.js'
import {
  DOCUMENT,
  frozen,
  named,
  newest,
  published,
  put,
  START,
  states,
  STEP
} from '../../support/example/publications.js'

const SIGN_OFF = START + 4 * STEP

await t.test('150 publications: 100 are remembered, the live one and the newest (reading 16)', async (t) => {
  let record = states.live()
  const ids = ['p1']
  for (let version = 2; version <= 150; version++) {
    record = cancel(published(put(named(`draft ${version}`), record), { id: `p${version}` }), START)
    ids.unshift(`p${version}`)
    t.equal(versionOf(record), version)
  }
  t.strictSame(record.submissions.map(({ id }) => id), [...ids.slice(0, 99), 'p1'])
  const newestVersions = Array.from({ length: 99 }, (_, index) => index + 52)
  t.strictSame(record.versions.map(({ version }) => version), [1, ...newestVersions])
  t.match(slotOf(record, 'production'), { version: 1, definition: { displayText: 'Tide DB' } })
  const last = goLive(settle(published(record, { id: 'last' }), SIGN_OFF), { id: 'g', now: SIGN_OFF })
  t.strictSame(last.slots, { production: 1, preview: 151 })
  t.ok(last.versions.some(({ version }) => version === 1), 'while its successor goes live')
  const after = cancel(published(put(named('next'), settle(last, SIGN_OFF + STEP))), START)
  t.notOk(after.versions.some(({ version }) => version === 1), 'once another version is live, it is forgotten')
  t.strictSame([after.versions.length, after.submissions.length], [100, 100])
})

await t.test('the size of an offer stays below a mebibyte, whatever is published how often (reading 16)', async (t) => {
  // The most that each text can take: documents up to the last byte, and characters that JSON escapes.
  const planId = '\u0000'.repeat(MAX_DOCUMENT / 6 - 50)
  const emails = '\u0000'.repeat(2000)
  const flawedPlan = { planId, 'microsoft-azure-virtualmachines.vmImages': { ['\u0001'.repeat(20)]: {} } }
  const filled = (document: OfferDocument): OfferDocument =>
    ({ ...document, fill: 'x'.repeat(MAX_DOCUMENT - sizeOf({ ...document, fill: '' })) }) as OfferDocument
  const largest = filled(DOCUMENT)
  const flawed = filled({ ...DOCUMENT, definition: { displayText: 'x', plans: [flawedPlan] } })
  for (const document of [largest, flawed]) t.equal(sizeOf(put(document).draft.content), MAX_DOCUMENT)

  let record = settle(
    goLive(settle(published(put(largest), { emails }), SIGN_OFF), { id: 'g', now: SIGN_OFF }),
    SIGN_OFF + STEP
  )
  for (let round = 2; round <= 12; round++) {
    for (const document of [flawed, largest, DOCUMENT]) {
      const running = put(largest, published(put(document, record), { id: `p${round}`, emails }))
      record = settle(running, SIGN_OFF)
      t.ok(Math.max(sizeOf(running), sizeOf(record)) < 2 ** 20, `${sizeOf(record)}`)
      const oldest = [record.slots.production, record.versions[0]!.version, record.submissions.at(-1)!.id]
      t.strictSame(oldest, [1, 1, 'p1'], 'the live version is remembered')
      t.equal(newest(record).version, versionOf(record))
      const versions = record.versions.map(({ version }) => version)
      const submitted = record.submissions.map(({ version }) => version)
      t.strictSame(submitted, versions.reverse(), 'a version and its submission are remembered together')
      record = cancel(record, SIGN_OFF)
    }
  }
  t.ok(sizeOf(record) > 2 ** 19, 'most of it is used')
})

await t.test('publish: the live and the newest version stay, also above a limit that was lowered after they were stored (reading 16)', async (t) => {
  const large = { ...DOCUMENT, fill: 'x'.repeat(MAX_HISTORY) }
  const live = put(large, { ...states.live(), versions: [{ content: large, changedTime: '', version: 1 }] })
  const after = frozen(published(frozen(live), { id: 'p2' }))
  t.strictSame(after.versions.map(({ version }) => version), [1, 2])
  t.strictSame(after.submissions.map(({ id }) => id), ['p2', 'p1'])
  t.equal(slotOf(after, 'production').version, 1)
  const third = published(put(named('small'), cancel(after, SIGN_OFF)), { id: 'p3' })
  t.strictSame(third.versions.map(({ version }) => version), [1, 3], 'no other stays')
  t.equal(versionOf(published(put(large))), 1, 'the first publication')
})
