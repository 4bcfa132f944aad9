import t from 'tap'
import type { Answer } from '../../../example/desk/page/api/http.js'
import type { OffersApi } from '../../../example/desk/page/api/offers.js'
import { EditorControl } from '../../../example/desk/page/editor-control.js'
import type { JsonObject } from '../../../example/desk/page/model/json.js'
import { Publication } from '../../../example/desk/page/publication.js'
import { LOST, offer, ok, PLACE, refused } from '../../support/desk/answers.js'

/** The publication of such an offer, which is read as `before` and then as `now`, and what is sent for it. */
async function publicationOn (before: Answer<JsonObject>, now: Answer<JsonObject>, status: string) {
  const sent: string[] = []
  let current = before
  const api = {
    read: async () => current,
    progress: async () => ({ kind: 'ok', status: 200, tag: undefined, value: { status, steps: [], messages: [] } }),
    act: async (_place: unknown, action: string, tag: string) => {
      sent.push(`${action} ${tag}`)
      return ok(tag)
    }
  } as unknown as OffersApi
  const editor = new EditorControl({ place: PLACE, api: () => api, changed: () => {} })
  const publication = new Publication(editor, () => api, () => {})
  await editor.load()
  await publication.follow()
  current = now
  return { editor, publication, sent }
}

await t.test('publish: content that the person has not seen is shown first, and not published (RFC 9110 13.1.1)', async (t) => {
  const { editor, publication, sent } = await publicationOn(ok('"1"'), ok('"2"', offer('Theirs')), 'neverPublished')
  await publication.act('publish')
  publication.end()
  t.strictSame(sent, [])
  t.match(editor.state, { form: { name: 'Theirs' }, notice: { key: 'failedChanged' } })
  await publication.act('publish')
  publication.end()
  t.strictSame(sent, ['publish "2"'], 'now it was seen')
})

await t.test('publish: a tag that the clock moved, or a look that is under way, is no reason against it', async (t) => {
  const { editor, publication, sent } = await publicationOn(ok('"1"'), ok('"2"'), 'neverPublished')
  const look = editor.look()
  await publication.act('publish')
  publication.end()
  await look
  t.strictSame(sent, ['publish "2"'])
})

await t.test('go live, cancel: another version, or another status, than the person has seen is shown first', async (t) => {
  const at = (tag: string, version: number, status: string, name = 'Reef'): Answer<JsonObject> =>
    ok(tag, offer(name, { version, status }))
  const waiting = 'waitingForPublisherReview'
  const cases = [
    ['golive', at('"2"', 1, waiting), 1],
    ['golive', at('"2"', 1, waiting, 'a draft of somebody else'), 1],
    ['golive', at('"2"', 2, waiting), 0],
    ['golive', at('"2"', 1, 'canceled'), 0],
    ['cancel', at('"2"', 1, waiting), 1],
    ['cancel', at('"2"', 1, 'running'), 1],
    ['cancel', at('"2"', 2, waiting), 0],
    ['cancel', at('"2"', 1, 'succeeded'), 0]
  ] as const
  for (const [action, now, count] of cases) {
    const { editor, publication, sent } = await publicationOn(at('"1"', 1, waiting), now, waiting)
    await publication.act(action)
    publication.end()
    t.strictSame(sent, Array(count).fill(`${action} "2"`), JSON.stringify(now))
    t.equal(editor.state.notice?.key === 'failedChanged', count === 0)
  }
})

await t.test('publication: one that another window began is followed; a server that refuses to tell is not asked for ever', async (t) => {
  let current = ok('"1"')
  const at = (status: string): Answer<unknown> =>
    ({ kind: 'ok', status: 200, tag: undefined, value: { status, steps: [] } })
  let progress = at('neverPublished')
  let asked = 0
  const api = {
    read: async () => current,
    progress: async () => {
      asked++
      return progress
    }
  } as unknown as OffersApi
  const editor = new EditorControl({ place: PLACE, api: () => api, changed: () => { publication.heed() } })
  const publication = new Publication(editor, () => api, () => {})
  await editor.load()
  t.equal(asked, 0)
  await publication.follow()
  await editor.look()
  t.equal(asked, 1, 'nothing changed')
  current = ok('"2"', offer('Reef', { status: 'waitingForPublisherReview', version: 1 }))
  progress = at('waitingForPublisherReview')
  await editor.look()
  await Promise.resolve()
  t.equal(asked, 2)
  t.equal(publication.progress?.status, 'waitingForPublisherReview')
  const { setTimeout } = globalThis
  let later = 0
  globalThis.setTimeout = (() => { later++ }) as unknown as typeof setTimeout
  t.teardown(() => { globalThis.setTimeout = setTimeout })
  for (const status of [401, 403, 404]) {
    progress = refused(status, 'x')
    await publication.follow()
    t.equal(later, 0, String(status))
  }
  progress = LOST
  await publication.follow()
  t.equal(later, 1, 'one that is away may come back')
  const waits: unknown[] = []
  globalThis.setTimeout = ((_again: () => void, wait: number) => { waits.push(wait) }) as unknown as typeof setTimeout
  const answers = [at('running'), LOST, refused(503, 'Overloaded'), refused(429, 'TooManyRequests'), at('running')]
  for (progress of answers) await publication.follow()
  t.strictSame(waits, [1000, 5000, 5000, 5000, 1000], 'one that is overloaded is given the time that it asks for')
  publication.end()
})
