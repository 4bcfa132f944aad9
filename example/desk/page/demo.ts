import type { OffersApi, Place } from './api/offers.js'
import { versionOf, type Version } from './model/editor.js'
import { noticeOfFailure } from './model/failure.js'
import { contentOf, documentOf, formOf, type Form } from './model/form.js'
import type { JsonObject } from './model/json.js'
import type { Notice } from './model/notice.js'
import { afterSave, NO_SCORE, type Score } from './model/score.js'

/** One of the two editors of the demo. */
export interface DemoEditor { who: 'Ann' | 'Bob', base: Version, form: Form, notice?: Notice | undefined }

const DOCUMENT: JsonObject = {
  offerTypeId: 'microsoft-azure-virtualmachines',
  definition: {
    displayText: 'Reef DB',
    offer: { 'microsoft-azure-marketplace.summary': 'A database for reefs' },
    plans: [{ planId: 'small' }]
  }
}

/** Two editors of one offer, in which a visitor loses an update, and sees one refused. */
export class Demo {
  editors: DemoEditor[] = []
  isChecked = true
  score: Score = NO_SCORE
  current: Version | undefined
  notice: Notice | undefined
  readonly #place: Place
  readonly #api: () => OffersApi
  readonly #changed: () => void
  // A second click is the same one: it would count as an update that is lost.
  #isSaving = false

  constructor (publisher: string, api: () => OffersApi, changed: () => void) {
    this.#place = { publisher, offer: 'desk-demo' }
    this.#api = api
    this.#changed = changed
  }

  /** Opens the offer in both editors, and creates it if it is not there. The page overwrites nothing by itself. */
  async begin (): Promise<void> {
    const created = await this.#api().create(this.#place, DOCUMENT)
    const isThere = created.kind === 'failed' && created.failure.kind === 'refused' && created.failure.status === 412
    const answer = isThere ? await this.#api().read(this.#place) : created
    this.notice = answer.kind === 'failed' ? noticeOfFailure(answer.failure) : undefined
    if (answer.kind === 'ok') {
      const version = versionOf(answer)
      this.current = version
      this.score = NO_SCORE
      this.editors = (['Ann', 'Bob'] as const).map((who) => ({ who, base: version, form: formOf(version.document) }))
    }
    this.#changed()
  }

  setChecked (isChecked: boolean): void {
    this.isChecked = isChecked
    this.#changed()
  }

  type (editor: DemoEditor, form: Form): void {
    this.#set(editor.who, { form, notice: undefined })
  }

  /** Saves: with the check on, over the version that the editor read; with the check off, over whatever is there. */
  async save (editor: DemoEditor): Promise<void> {
    const document = documentOf(editor.form, editor.base.document)
    const { current } = this
    if (!('content' in document) || current === undefined || this.#isSaving) return
    this.#isSaving = true
    const answer = this.isChecked
      ? await this.#api().write(this.#place, document.content, editor.base.tag)
      : await this.#api().overwrite(this.#place, document.content)
    this.#isSaving = false
    const other = editor.who === 'Ann' ? 'Bob' : 'Ann'
    if (answer.kind === 'ok') {
      const next = versionOf(answer)
      const score = afterSave(this.score, true, editor.base.tag, current.tag)
      const isLoss = score.lost > this.score.lost
      this.score = score
      this.current = next
      this.#set(editor.who, {
        base: next,
        form: formOf(next.document),
        notice: isLoss
          ? { tone: 'bad', key: 'demoWasLost', values: { who: other } }
          : { tone: 'good', key: 'saved' }
      })
    } else if (answer.kind === 'failed' && answer.failure.kind === 'refused' && answer.failure.status === 412) {
      this.score = afterSave(this.score, false, editor.base.tag, current.tag)
      this.#set(editor.who, { notice: { tone: 'info', key: 'demoWasRefused', values: { who: other } } })
    } else if (answer.kind === 'failed') {
      this.#set(editor.who, { notice: noticeOfFailure(answer.failure) })
    }
  }

  /** Reads the offer again, as a person does who was refused. */
  async read (editor: DemoEditor): Promise<void> {
    const answer = await this.#api().read(this.#place)
    if (answer.kind !== 'ok') return
    const version = versionOf(answer)
    this.current = version
    this.#set(editor.who, { base: version, form: formOf(version.document), notice: undefined })
  }

  /** What the server has now, as the editors show it. */
  get shown (): Form | undefined {
    return this.current && formOf(contentOf(this.current.document))
  }

  #set (who: DemoEditor['who'], change: Partial<DemoEditor>): void {
    this.editors = this.editors.map((editor) => editor.who === who ? { ...editor, ...change } : editor)
    this.#changed()
  }
}
