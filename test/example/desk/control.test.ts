import t from 'tap'
import type { Answer } from '../../../example/desk/page/api/http.js'
import { offersApi, type OffersApi } from '../../../example/desk/page/api/offers.js'
import { EditorControl } from '../../../example/desk/page/editor-control.js'
import { formOf } from '../../../example/desk/page/model/form.js'
import type { JsonObject } from '../../../example/desk/page/model/json.js'
import { Publication } from '../../../example/desk/page/publication.js'

const offer = (displayText: string, extra: JsonObject = {}): JsonObject =>
  ({ offerTypeId: 'vm', id: 'reef-db', status: 'neverPublished', version: 0, definition: { displayText }, ...extra })
const ok = (tag: string, value = offer('Reef')): Answer<JsonObject> => ({ kind: 'ok', status: 200, tag, value })
const refused = (status: number, code: string): Answer<never> =>
  ({ kind: 'failed', failure: { kind: 'refused', status, code, message: 'why' } })
const CHANGED = refused(412, 'PreconditionFailed')

/** An editor of an offer that was read under the tag "1", on a server that answers so, with a name that was typed. */
async function editorOn (answers: Partial<OffersApi>, typed = 'Atoll') {
  let isOpen = false
  const api = { read: async () => ok('"1"'), ...answers } as OffersApi
  const editor = new EditorControl({
    place: { publisher: 'contoso', offer: 'reef-db' },
    api: () => isOpen ? api : { ...api, read: async () => ok('"1"') },
    changed: () => {}
  })
  await editor.load()
  isOpen = true
  if (typed !== '') editor.dispatch({ type: 'typed', form: { ...formOf(offer('Reef')), name: typed } })
  return editor
}

await t.test('save: a server that refuses the very tag that it gives, behind a gateway that weakens tags, is asked once (RFC 9110 8.8.3.2)', async (t) => {
  let writes = 0
  const write = async (): Promise<Answer<JsonObject>> => {
    if (++writes > 100) throw new Error('without end')
    return CHANGED
  }
  const editor = await editorOn({ write })
  await editor.save()
  t.equal(writes, 1)
  t.match(editor.state, { isSaving: false, phase: 'editing', form: { name: 'Atoll' }, notice: { key: 'failedTag' } })
})

await t.test('save: a tag that is another one at each read is followed a few times, and no longer', async (t) => {
  const tags: string[] = []
  const write: OffersApi['write'] = async (_place, _document, tag) => {
    if (tags.push(tag) > 100) throw new Error('without end')
    return CHANGED
  }
  const editor = await editorOn({ write, read: async () => ok(`"${tags.length + 1}"`) })
  await editor.save()
  t.strictSame(tags, ['"1"', '"2"', '"3"', '"4"', '"5"', '"6"'])
  t.match(editor.state, { isSaving: false, form: { name: 'Atoll' }, notice: { key: 'failedTag' } })
})

await t.test('save: where the clock moved the tag alone, the save goes on under the new one', async (t) => {
  const tags: string[] = []
  const write: OffersApi['write'] = async (_place, document, tag) =>
    tags.push(tag) === 1 ? CHANGED : ok('"3"', { ...offer(''), ...document })
  const editor = await editorOn({ write, read: async () => ok('"2"') })
  await editor.save()
  t.strictSame(tags, ['"1"', '"2"'])
  t.match(editor.state, { base: { tag: '"3"' }, form: { name: 'Atoll' }, notice: { key: 'saved' } })
})

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
  const editor = new EditorControl({
    place: { publisher: 'contoso', offer: 'reef-db' }, api: () => api, changed: () => {}
  })
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

await t.test('overwrite: the warning shows what would be lost now, also of what others save while it is open', async (t) => {
  let current = ok('"2"', offer('Reef', { theirs: 1 }))
  const editor = await editorOn({ read: async () => current })
  await editor.askOverwrite()
  t.strictSame(editor.lost?.map(({ path }) => path), ['/theirs'])
  current = ok('"3"', offer('Reef', { theirs: 1, more: 2 }))
  await editor.look()
  t.strictSame(editor.lost?.map(({ path }) => path), ['/theirs', '/more'])
  editor.stopOverwrite()
  current = ok('"4"', offer('Theirs'))
  await editor.look()
  t.equal(editor.lost, undefined, 'nobody is asked any more')
})

/** The API, on a server that answers each request so. */
function apiAnswered (body: string, status: number, headers: Record<string, string> = { etag: '"2"' }): OffersApi {
  globalThis.fetch = async () => new Response(body, { status, headers })
  return offersApi('secret')
}

const PLACE = { publisher: 'contoso', offer: 'reef-db' }

await t.test('answers: a gateway that says in HTML that the server is away is a lost answer, and no other page (RFC 9110 15.6)', async (t) => {
  for (const status of [502, 503, 504, 520, 522, 524, 530]) {
    const answer = await apiAnswered('<h1>Bad gateway</h1>', status).write(PLACE, offer('Atoll'), '"1"')
    t.strictSame(answer, { kind: 'failed', failure: { kind: 'lost' } }, String(status))
  }
  const unavailable = await apiAnswered('{"error":{"code":"ServiceUnavailable","message":"x"}}', 503).read(PLACE)
  t.match(unavailable, { failure: { code: 'ServiceUnavailable' } }, 'the server itself says more')
  t.match(await apiAnswered('<h1>Hello</h1>', 404).read(PLACE), { failure: { code: 'NotJson' } })
})

await t.test('answers: JSON that is no offer is no save, and an offer without a tag is none that could be saved (RFC 9110 8.8.3)', async (t) => {
  for (const body of ['{"login":"https://wifi.example"}', '[]', 'null', '"ok"']) {
    const api = apiAnswered(body, 200)
    t.match(await api.write(PLACE, offer('Atoll'), '"1"'), { failure: { code: 'NotJson' } }, body)
    t.match(await api.read(PLACE), { failure: { code: 'NotJson' } }, body)
  }
  const bare = apiAnswered(JSON.stringify(offer('Atoll')), 200, {})
  t.match(await bare.read(PLACE), { failure: { code: 'NoTag' } }, 'If-Match is never empty')
  const editor = await editorOn({ write: bare.write, read: bare.read })
  await editor.save()
  t.match(editor.state, { form: { name: 'Atoll' }, notice: { key: 'unknownAfterLoss' } })
  t.match(await apiAnswered(JSON.stringify(offer('Atoll')), 200).read(PLACE), { kind: 'ok', tag: '"2"' })
})

// Other files of tests run in this process, too.
const { fetch, setTimeout } = globalThis
t.teardown(() => { Object.assign(globalThis, { fetch, setTimeout }) })

const LOST: Answer<never> = { kind: 'failed', failure: { kind: 'lost' } }

await t.test('a look that fails replaces no notice about a write, and takes back its own when the server is there again', async (t) => {
  let current: Answer<JsonObject> = LOST
  const editor = await editorOn({ write: async () => LOST, read: async () => current })
  await editor.save()
  t.equal(editor.state.notice?.key, 'unknownAfterLoss')
  await editor.look()
  t.equal(editor.state.notice?.key, 'unknownAfterLoss')
  for (const back of [{ kind: 'unchanged' } as const, ok('"1"'), ok('"2"')]) {
    for (const [away, key] of [
      [LOST, 'failedAway'],
      [refused(503, 'ServiceUnavailable'), 'failedStorage'],
      [refused(500, 'InternalError'), 'failedServer']
    ] as const) {
      const editor = await editorOn({ read: async () => current })
      current = away
      await editor.look()
      t.equal(editor.state.notice?.key, key)
      current = back
      await editor.look()
      t.equal(editor.state.notice, undefined, `${key}, ${back.kind}`)
    }
  }
  current = LOST
  const other = await editorOn({ write: async () => refused(403, 'Forbidden'), read: async () => current })
  await other.save()
  await other.look()
  t.equal(other.state.notice?.key, 'failedRole')
  current = { kind: 'unchanged' }
  await other.look()
  t.equal(other.state.notice?.key, 'failedRole', 'also when the server is there again')
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
  publication.end()
})
