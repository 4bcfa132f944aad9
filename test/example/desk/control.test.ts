import t from 'tap'
import type { Answer } from '../../../example/desk/page/api/http.js'
import { offersApi, type OffersApi } from '../../../example/desk/page/api/offers.js'
import { Demo } from '../../../example/desk/page/demo.js'
import { EditorControl } from '../../../example/desk/page/editor-control.js'
import { formOf } from '../../../example/desk/page/model/form.js'
import type { JsonObject } from '../../../example/desk/page/model/json.js'
import { LOST, offer, ok, PLACE, refused } from '../../support/desk/answers.js'

const CHANGED = refused(412, 'PreconditionFailed')

// Other files of tests run in this process, too.
const { fetch } = globalThis
t.teardown(() => { globalThis.fetch = fetch })

/** An editor of an offer that was read under the tag "1", on a server that answers so, with a name that was typed. */
async function editorOn (answers: Partial<OffersApi>, typed = 'Atoll') {
  let isOpen = false
  const api = { read: async () => ok('"1"'), ...answers } as OffersApi
  const editor = new EditorControl({
    place: PLACE,
    api: () => isOpen ? api : { ...api, read: async () => ok('"1"') },
    changed: () => {}
  })
  await editor.load()
  isOpen = true
  if (typed !== '') editor.dispatch({ type: 'typed', form: { ...formOf(offer('Reef')), name: typed } })
  return editor
}

/** The API, on a server that answers each request so. */
function apiAnswered (body: string, status: number, headers: Record<string, string> = { etag: '"2"' }): OffersApi {
  globalThis.fetch = async () => new Response(body, { status, headers })
  return offersApi('secret')
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

await t.test('save: one that arrives after nobody knew of it is no change of somebody else, also when the person types on', async (t) => {
  for (const more of ['', ' 2']) {
    let current: Answer<JsonObject> = { kind: 'failed', failure: { kind: 'lost' } }
    const editor = await editorOn({ write: async () => LOST, read: async () => current })
    await editor.save()
    t.equal(editor.state.notice?.key, 'unknownAfterLoss')
    const form = editor.state.form!
    if (more !== '') editor.dispatch({ type: 'typed', form: { ...form, name: `Atoll${more}` } })
    current = ok('"2"', offer('Atoll'))
    await editor.look()
    t.match(editor.state, {
      phase: 'editing',
      base: { tag: '"2"' },
      theirs: undefined,
      form: { name: `Atoll${more}` },
      notice: { key: 'savedAfterLoss' }
    })
  }
})

await t.test('save: a merge that arrives late is the own one; what was typed since is compared with it', async (t) => {
  for (const isTyped of [false, true]) {
    let current = ok('"2"', offer('Reef', { theirs: 1 }))
    const write: OffersApi['write'] = async (_place, _document, tag) => tag === '"1"' ? CHANGED : LOST
    const editor = await editorOn({ write, read: async () => current })
    await editor.save()
    t.equal(editor.state.phase, 'conflict')
    current = LOST
    await editor.saveMerged()
    if (isTyped) {
      editor.dispatch({ type: 'back' })
      editor.dispatch({ type: 'typed', form: { ...editor.state.form!, name: 'Atoll 2' } })
    }
    current = ok('"3"', offer('Atoll', { theirs: 1 }))
    await editor.look()
    t.match(editor.state, isTyped
      ? { base: { tag: '"1"' }, theirs: { tag: '"3"' }, form: { name: 'Atoll 2' } }
      : { base: { tag: '"3"' }, theirs: undefined, notice: { key: 'savedAfterLoss' } })
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
      [refused(503, 'StorageUnavailable'), 'failedStorage'],
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

await t.test('answers: a gateway that says in HTML that the server is away is a lost answer, and no other page (RFC 9110 15.6)', async (t) => {
  for (const status of [502, 503, 504, 520, 522, 524, 530]) {
    const answer = await apiAnswered('<h1>Bad gateway</h1>', status).write(PLACE, offer('Atoll'), '"1"')
    t.strictSame(answer, { kind: 'failed', failure: { kind: 'lost' } }, String(status))
  }
  const unavailable = await apiAnswered('{"error":{"code":"StorageUnavailable","message":"x"}}', 503).read(PLACE)
  t.match(unavailable, { failure: { code: 'StorageUnavailable' } }, 'the server itself says more')
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

await t.test('the demo: a second click is the same save, and counts no update as lost', async (t) => {
  let writes = 0
  const overwrite: OffersApi['overwrite'] = async (_place, document) => ok(`"${++writes + 1}"`, offer('', document))
  const api = { create: async () => ok('"1"'), overwrite } as unknown as OffersApi
  const demo = new Demo('contoso', () => api, () => {})
  await demo.begin()
  demo.setChecked(false)
  const [ann] = demo.editors
  await Promise.all([demo.save(ann!), demo.save(ann!)])
  t.equal(writes, 1)
  t.match(demo.score, { saved: 1, lost: 0 })
})
