import t from 'tap'
import type { Answer } from '../../../example/desk/page/api/http.js'
import type { OffersApi } from '../../../example/desk/page/api/offers.js'
import { EditorControl } from '../../../example/desk/page/editor-control.js'
import { formOf } from '../../../example/desk/page/model/form.js'
import type { JsonObject } from '../../../example/desk/page/model/json.js'

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
