import t from 'tap'
import { Drafts } from '../../../example/desk/page/model/drafts.js'
import {
  after, EMPTY_EDITOR, isDirty, lostByOverwrite, mergeOf, type Editor, type EditorEvent, type Version
} from '../../../example/desk/page/model/editor.js'
import { isOutcomeUnknown, noticeOfFailure, type Failure } from '../../../example/desk/page/model/failure.js'
import { formOf } from '../../../example/desk/page/model/form.js'
import { textOfHtml } from '../../../example/desk/page/model/html-text.js'
import { hashOf, routeOf } from '../../../example/desk/page/model/route.js'
import { afterSave, NO_SCORE } from '../../../example/desk/page/model/score.js'
import { Texts, type TextStore } from '../../../example/desk/page/model/texts.js'

const version = (tag: string, displayText = 'Reef', extra: object = {}): Version =>
  ({ tag, document: { offerTypeId: 'vm', status: 'running', definition: { displayText, ...extra } } })

const typed = (name: string): EditorEvent => ({ type: 'typed', form: { ...formOf(version('1').document), name } })

/** An editor after these events. */
function editorAfter (...events: EditorEvent[]): Editor {
  return events.reduce(after, EMPTY_EDITOR)
}

const READ: EditorEvent = { type: 'read', version: version('1') }

await t.test('editor: what was typed survives every event but a save that is done and a discard', async (t) => {
  const editor = editorAfter(READ, typed('Atoll'))
  t.ok(isDirty(editor))
  const events: EditorEvent[] = [
    { type: 'read', version: version('1') },
    { type: 'read', version: version('2') },
    { type: 'read', version: version('2', 'Theirs') },
    { type: 'saving' },
    { type: 'flawed', flaws: [{ field: 'rest', kind: 'notJson', detail: '' }] },
    { type: 'refused', theirs: version('2', 'Theirs') },
    { type: 'failed', notice: { tone: 'bad', key: 'failedAway' } },
    { type: 'gone' },
    { type: 'arrived', version: version('2', 'Atol'), form: formOf(version('1').document) },
    { type: 'compare' },
    { type: 'choose', path: '/definition/displayText', side: 'theirs' },
    { type: 'back' },
    { type: 'told', notice: undefined }
  ]
  for (const one of events) {
    for (const other of events) {
      const next = after(after(editor, one), other)
      t.equal(next.form?.name, 'Atoll', `${one.type}, ${other.type}`)
      t.ok(isDirty(next), `${one.type}, ${other.type}`)
    }
  }
  const saved = after(editor, { type: 'saved', version: version('2', 'Atoll') })
  t.match(saved, { base: { tag: '2' }, notice: { key: 'saved' } })
  t.equal(after(editor, { type: 'discard' }).form?.name, 'Reef')
  t.equal(editorAfter({ type: 'discard' }).form, undefined)
  t.notOk(isDirty(EMPTY_EDITOR))
})

await t.test('editor: a tag that moved while the content stayed is taken over, as the clock moves it', async (t) => {
  const editor = editorAfter(READ, typed('Atoll'), { type: 'read', version: version('2') })
  t.match(editor, { base: { tag: '2' }, theirs: undefined, phase: 'editing' })
})

await t.test('editor: a change of somebody else is shown at once while nothing was typed, and is a notice otherwise', async (t) => {
  const theirs: EditorEvent = { type: 'read', version: version('2', 'Theirs') }
  t.match(editorAfter(READ, theirs), { base: { tag: '2' }, form: { name: 'Theirs' }, notice: { key: 'reloaded' } })
  const typing = editorAfter(READ, typed('Atoll'), theirs)
  t.match(typing, { base: { tag: '1' }, theirs: { tag: '2' }, phase: 'editing' })
  t.equal(after(typing, { type: 'compare' }).phase, 'conflict')
  t.equal(editorAfter(READ, { type: 'compare' }).phase, 'editing', 'there is nothing to compare with')
  t.equal(after(typing, { type: 'discard' }).form?.name, 'Theirs')
  t.equal(editorAfter(READ, { type: 'gone' }, READ).phase, 'editing', 'it is there again')
})

await t.test('editor: a refusal shows both, and a choice lasts as long as the value that it was made against', async (t) => {
  const conflict = editorAfter(READ, typed('Atoll'), { type: 'refused', theirs: version('2', 'Theirs') })
  t.strictSame(mergeOf(conflict)?.open, ['/definition/displayText'])
  const chosen = after(conflict, { type: 'choose', path: '/definition/displayText', side: 'mine' })
  t.strictSame(mergeOf(chosen)?.merged, { offerTypeId: 'vm', definition: { displayText: 'Atoll' } })
  const more = after(chosen, { type: 'refused', theirs: version('3', 'Theirs', { more: 1 }) })
  t.strictSame(mergeOf(more)?.merged, { offerTypeId: 'vm', definition: { displayText: 'Atoll', more: 1 } })
  t.strictSame(mergeOf(after(chosen, { type: 'read', version: version('3', 'Theirs', { more: 1 }) }))?.open, [])
  const other = after(more, { type: 'refused', theirs: version('4', 'Another') })
  t.strictSame(mergeOf(other)?.open, ['/definition/displayText'])
})

await t.test('editor: an overwrite loses what others changed, unless both say the same; what one changed oneself is no loss', async (t) => {
  const editor = editorAfter(READ, typed('Atoll'))
  const lost = (...args: Parameters<typeof version>): string[] =>
    lostByOverwrite(editor, version(...args)).map(({ path, change }) => `${path} ${change}`)
  t.strictSame(lost('2'), [])
  t.strictSame(lost('2', 'Reef', { more: 1 }), ['/definition/more theirs'])
  t.strictSame(lost('2', 'Theirs'), ['/definition/displayText conflict'])
  t.strictSame(lost('2', 'Atoll'), [])
  t.strictSame(lostByOverwrite(EMPTY_EDITOR, version('2')), [])
})

await t.test('editor: a refusal by what was sent itself, whose answer was lost, is a save', async (t) => {
  const refused: EditorEvent = { type: 'refused', theirs: version('2', 'Atoll') }
  const editor = editorAfter(READ, typed('Atoll'), { type: 'saving' }, refused)
  t.match(editor, { phase: 'editing', base: { tag: '2' }, notice: { key: 'savedAlready' } })
  const flawed = editorAfter(READ, { type: 'typed', form: { ...formOf(version('1').document), rest: '{' } }, {
    type: 'refused', theirs: version('2')
  })
  t.match(flawed, { phase: 'conflict', isSaving: false })
  t.equal(mergeOf(flawed), undefined, 'no JSON has no merge')
  t.equal(mergeOf(EMPTY_EDITOR), undefined)
  t.match(editorAfter({ type: 'refused', theirs: version('2') }), { phase: 'conflict' })
})

await t.test('editor: a field that holds no JSON is told ahead of a comparison, and what was typed stays', async (t) => {
  const typing = editorAfter(READ, { type: 'typed', form: { ...formOf(version('1').document), rest: '{' } }, {
    type: 'read', version: version('2', 'Theirs')
  })
  t.match(after(typing, { type: 'compare' }), {
    phase: 'editing', form: { rest: '{' }, flaws: [{ field: 'rest', kind: 'notJson' }], notice: { key: 'flawedCompare' }
  })
})

await t.test('editor: a save of this page that arrives late is no change of somebody else', async (t) => {
  const editor = editorAfter(READ, typed('Atoll'), { type: 'read', version: version('2', 'Atoll') })
  t.match(editor, { base: { tag: '2' }, theirs: undefined, phase: 'editing', notice: { key: 'savedAlready' } })
  t.notOk(isDirty(editor))
})

await t.test('drafts: what was typed is there after a reload, and a store that fails or holds nonsense does no harm', async (t) => {
  const texts = new Map<string, string>()
  const store: TextStore = {
    getItem: (key) => texts.get(key) ?? null,
    setItem: (key, value) => { texts.set(key, value) },
    removeItem: (key) => { texts.delete(key) }
  }
  const draft = { base: version('1'), form: formOf(version('1').document) }
  t.ok(new Drafts(new Texts(() => store)).keep('contoso/reef', draft))
  const drafts = new Drafts(new Texts(() => store))
  t.strictSame(drafts.find('contoso/reef'), draft)
  t.equal(drafts.find('contoso/other'), undefined)
  t.match(after(EMPTY_EDITOR, { type: 'restored', ...draft }), { phase: 'editing', notice: { key: 'restored' } })
  for (const text of ['{', 'null', '{}', '{"base":{"tag":"1"}}']) {
    texts.set('desk.draft:contoso/reef', text)
    t.equal(drafts.find('contoso/reef'), undefined, text)
  }
  drafts.drop('contoso/reef')
  t.equal(texts.size, 0)
})

await t.test('drafts: a store that the browser refuses, or that is full, leaves them in memory, and the page knows that they are at risk', async (t) => {
  const fail = (): never => { throw new Error('no store') }
  const full: TextStore = { getItem: () => null, setItem: fail, removeItem: () => {} }
  const draft = { base: version('1'), form: formOf(version('1').document) }
  const opens: Array<() => TextStore> = [fail, () => full, () => ({ getItem: fail, setItem: fail, removeItem: fail })]
  for (const open of opens) {
    const texts = new Texts(open)
    const drafts = new Drafts(texts)
    t.notOk(texts.isAtRisk)
    t.equal(drafts.find('a'), undefined)
    t.notOk(drafts.keep('a', draft))
    t.strictSame(drafts.find('a'), draft, 'there again after another view')
    t.ok(texts.isAtRisk)
    drafts.drop('a')
    t.equal(drafts.find('a'), undefined)
    t.notOk(texts.isAtRisk)
  }
  const stored = new Map<string, string>()
  let isFull = true
  const texts = new Texts(() => ({
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => isFull ? fail() : stored.set(key, value),
    removeItem: (key) => { stored.delete(key) }
  }))
  texts.set('a', '1')
  isFull = false
  t.ok(texts.set('a', '2'))
  t.notOk(texts.isAtRisk, 'there is room again')
  t.equal(texts.get('a'), '2')
})

await t.test('failures: each code has its sentence, and a code that the page does not know says what the server says', async (t) => {
  const refused = (status: number, code: string): Failure => ({ kind: 'refused', status, code, message: 'why' })
  const key = (failure: Failure): string => noticeOfFailure(failure).key
  t.equal(key({ kind: 'lost' }), 'failedAway')
  t.equal(key(refused(401, 'Unauthorized')), 'failedToken')
  t.equal(key(refused(404, 'RouteNotFound')), 'failedOtherServer')
  t.strictSame(noticeOfFailure(refused(400, 'BadRequest')), {
    tone: 'bad', key: 'failedRefused', values: { message: 'why', status: '400' }
  })
  t.equal(key(refused(500, 'InternalError')), 'failedServer')
  t.equal(key(refused(400, 'toString')), 'failedRefused')
  t.equal(key(refused(503, 'Contention')), 'failedBusy')
  t.equal(key(refused(503, 'Overloaded')), 'failedOverloaded')
  t.equal(key(refused(429, 'TooManyRequests')), 'failedOverloaded')
  for (const failure of [
    { kind: 'lost' } as const, refused(503, 'OutcomeUnknown'), refused(200, 'NoTag'), refused(502, 'NotJson'),
    // Gateways say it, too.
    refused(503, 'ServiceUnavailable')
  ]) t.ok(isOutcomeUnknown(failure))
  for (const failure of [
    refused(503, 'StorageUnavailable'), refused(503, 'Contention'), refused(503, 'Overloaded'), refused(413, 'x')
  ]) {
    t.notOk(isOutcomeUnknown(failure))
  }
})

await t.test('the demo counts a save over a version that its editor had not seen as a loss', async (t) => {
  const saved = afterSave(NO_SCORE, true, '1', '1')
  const refused = afterSave(saved, false, '1', '2')
  t.strictSame(afterSave(refused, true, '1', '2'), { saved: 2, refused: 1, lost: 1 })
})

await t.test('addresses: each view has one, and what is none is the list', async (t) => {
  const paths = ['offers/contoso', 'offers/', 'new/contoso', 'demo/contoso', 'offers/contoso/reef', 'offers/a%2Fb/c']
  for (const path of [...paths, 'offers/contoso/reef/preview']) t.equal(hashOf(routeOf(`#/${path}`)), `#/${path}`)
  t.strictSame(routeOf('#/offers/contoso/reef/nowhere'), { view: 'offer', publisher: 'contoso', offer: 'reef' })
  for (const hash of ['', '#', '#/x', '#/new', '#/%zz']) {
    t.strictSame(routeOf(hash), { view: 'list', publisher: undefined })
  }
})

await t.test('messages of publications are HTML: they are shown as text (reading 35)', async (t) => {
  t.equal(textOfHtml('<b>The plan</b> &quot;&lt;i&gt;&quot; &amp;lt;'), 'The plan "<i>" &lt;')
})
