import type { Answer } from './api/http.js'
import type { OffersApi, Place } from './api/offers.js'
import type { MessageKey } from './messages/en.js'
import type { Drafts } from './model/drafts.js'
import {
  EMPTY_EDITOR, after, isDirty, isSameContent, lostByOverwrite, mergeOf, versionOf, type Editor, type EditorEvent,
  type Version
} from './model/editor.js'
import { isOutcomeUnknown, noticeOfFailure, type Failure } from './model/failure.js'
import { contentOf, documentOf } from './model/form.js'
import { isSame, type JsonObject } from './model/json.js'
import type { Field } from './model/merge.js'
import type { Notice } from './model/notice.js'
import { UnknownWrites } from './model/unknown-writes.js'

/** What an editor works with. */
export interface EditorSurroundings {
  place: Place
  /** The API with the token of now: the person may sign in again while texts are typed. */
  api: () => OffersApi
  /** Where drafts are kept; an editor of the demo keeps none. */
  drafts?: Drafts | undefined
  /** Called after every change. */
  changed: () => void
}

/** How often a save is sent again because the clock alone moved the tag. It moves a few times in a publication. */
const MAX_RESENDS = 5

/** A write that is sent: what it stores, and the tag of its precondition, if it has one. */
interface Write {
  content: JsonObject
  tag?: string
  send: () => Promise<Answer<JsonObject>>
  told?: 'overwritten'
}

const failed = (key: MessageKey): EditorEvent => ({ type: 'failed', notice: { tone: 'bad', key } })

/** An editor: what it holds, and the requests that it sends. */
export class EditorControl {
  state: Editor = EMPTY_EDITOR
  readonly place: Place
  /** What the server has now, which an overwrite would lose; undefined while nobody is asked. */
  lost: Field[] | undefined
  /** Whether what was typed outlives a reload. */
  isKept = true
  readonly #surroundings: EditorSurroundings
  #looking: Promise<void> | undefined
  readonly #unknown = new UnknownWrites()
  // What the last look told, which the next one takes back.
  #toldByLook: Notice | undefined

  constructor (surroundings: EditorSurroundings) {
    this.place = surroundings.place
    this.#surroundings = surroundings
  }

  dispatch (event: EditorEvent): void {
    this.state = after(this.state, event)
    this.#keepDraft()
    // While the warning is open, it is about what is there now.
    const newest = this.state.theirs ?? this.state.base
    if (event.type === 'read' && this.lost !== undefined && newest !== undefined) {
      this.lost = lostByOverwrite(this.state, newest)
    }
    this.#surroundings.changed()
  }

  /** Reads the offer, after what was typed in this tab and not saved. */
  async load (): Promise<void> {
    const draft = this.#surroundings.drafts?.find(this.#name)
    if (draft !== undefined) this.dispatch({ type: 'restored', ...draft })
    await this.look()
  }

  /** Looks whether the offer changed: 304 costs no body. Whoever calls during a look waits for that one. */
  async look (): Promise<void> {
    if (this.state.isSaving) return
    this.#looking ??= this.#look().finally(() => { this.#looking = undefined })
    await this.#looking
  }

  async #look (): Promise<void> {
    const { theirs, base } = this.state
    const answer = await this.#api.read(this.place, (theirs ?? base)?.tag)
    // A save that began meanwhile knows more.
    if (this.state.isSaving || this.state.base !== base) return
    if (answer.kind === 'failed') this.#lookFailed(answer.failure)
    else {
      // The server is back.
      if (this.state.notice === this.#toldByLook) this.state = { ...this.state, notice: undefined }
      this.#toldByLook = undefined
      if (answer.kind === 'ok') this.#read(versionOf(answer))
      else this.#surroundings.changed()
    }
  }

  #read (version: Version): void {
    const own = this.#unknown.madeBy(version, this.state.form)
    if (own !== undefined) this.#unknown.clear()
    this.dispatch(own ? { type: 'arrived', version, form: own.form } : { type: 'read', version })
  }

  // What a person was told about a write is not replaced by what a look, which nobody asked for, has to say.
  #lookFailed (failure: Failure): void {
    const { notice } = this.state
    const isGone = failure.kind === 'refused' && failure.code === 'OfferNotFound'
    if (!isGone && notice?.tone === 'bad' && notice !== this.#toldByLook) return
    this.#failed(failure)
    this.#toldByLook = isGone ? undefined : this.state.notice
  }

  /** Saves what was typed over the version that was read, and over no other. */
  async save (): Promise<void> {
    const content = this.#typed()
    if (content === undefined) return
    if (this.state.phase === 'gone') {
      await this.#put({ content, send: async () => await this.#api.create(this.place, content) })
    } else await this.#put(this.#writeOver(content, this.state.base!.tag))
  }

  /** Saves the merged document over the version of the others. */
  async saveMerged (): Promise<void> {
    const { theirs } = this.state
    const merge = mergeOf(this.state)
    if (theirs === undefined || merge === undefined) return
    if (merge.open.length > 0) return this.dispatch({ type: 'told', notice: { tone: 'bad', key: 'chooseFirst' } })
    const content = merge.merged as JsonObject
    await this.#put(this.#writeOver(content, theirs.tag))
  }

  /** Finds out what an overwrite would lose, so that the person can be asked. */
  async askOverwrite (): Promise<void> {
    const content = this.#typed()
    if (content === undefined) return
    const answer = await this.#api.read(this.place)
    if (answer.kind === 'failed') return this.#failed(answer.failure)
    if (answer.kind !== 'ok') return
    this.lost = lostByOverwrite(this.state, versionOf(answer))
    this.#surroundings.changed()
  }

  /** Saves what was typed over whatever is there. */
  async overwrite (): Promise<void> {
    this.lost = undefined
    const content = this.#typed()
    if (content === undefined) return
    await this.#put({
      content, told: 'overwritten', send: async () => await this.#api.overwrite(this.place, content)
    })
  }

  /** Does not overwrite. */
  stopOverwrite (): void {
    this.lost = undefined
    this.#surroundings.changed()
  }

  get #api (): OffersApi {
    return this.#surroundings.api()
  }

  get #name (): string {
    return `${this.place.publisher}/${this.place.offer}`
  }

  // What was typed as a document; undefined, and told, if a field holds none.
  #typed (): JsonObject | undefined {
    const { form, base, isSaving } = this.state
    if (form === undefined || base === undefined || isSaving) return undefined
    const document = documentOf(form, base.document)
    if ('content' in document) return document.content
    this.dispatch({ type: 'flawed', flaws: document.flaws })
    return undefined
  }

  // A write of this content over the version of this tag.
  #writeOver (content: JsonObject, tag: string): Write {
    return { content, tag, send: async () => await this.#api.write(this.place, content, tag) }
  }

  async #put (write: Write, resends = 0): Promise<void> {
    this.dispatch({ type: 'saving' })
    const answer = await write.send()
    if (answer.kind === 'ok') {
      this.#unknown.clear()
      this.dispatch({ type: 'saved', version: versionOf(answer), notice: { tone: 'good', key: write.told ?? 'saved' } })
    } else if (answer.kind === 'failed') {
      const { failure } = answer
      if (failure.kind === 'refused' && failure.status === 412) await this.#refused(write, resends)
      else if (isOutcomeUnknown(failure)) await this.#findOut(write.content)
      else this.#failed(failure)
    }
  }

  // The tag is not the one that was sent. Where the clock moved it alone, or an earlier save of this page whose answer
  // was lost, the same save is sent under the new one.
  async #refused ({ content, tag }: Write, resends: number): Promise<void> {
    const answer = await this.#api.read(this.place)
    if (answer.kind === 'failed') return this.#failed(answer.failure)
    const theirs = answer.kind === 'ok' ? versionOf(answer) : undefined
    const { base, phase, form } = this.state
    // The server refuses the tag that it gives: a gateway on the way weakens tags, or changes them (RFC 9110 8.8.3.2).
    if (theirs === undefined || theirs.tag === tag || resends >= MAX_RESENDS) return this.dispatch(failed('failedTag'))
    const isOwn = this.#unknown.madeBy(theirs, form) !== undefined && !isSame(contentOf(theirs.document), content)
    this.#unknown.clear()
    if (tag !== undefined && phase === 'editing' && base !== undefined && (isOwn || isSameContent(base, theirs))) {
      this.state = { ...this.state, base: theirs, theirs: undefined }
      await this.#put(this.#writeOver(content, theirs.tag), resends + 1)
    } else this.dispatch({ type: 'refused', theirs })
  }

  // The answer was lost: what the server has now says what became of the write.
  async #findOut (content: JsonObject): Promise<void> {
    const { base, form, phase } = this.state
    const isMerge = phase === 'conflict'
    this.#unknown.add({ content, form: form!, isMerge })
    const answer = await this.#api.read(this.place)
    if (answer.kind !== 'ok') return this.dispatch(failed('unknownAfterLoss'))
    const version = versionOf(answer)
    const isThere = isSame(contentOf(version.document), content) && version.tag !== base?.tag
    const isOld = !isThere && [base?.tag, this.state.theirs?.tag].includes(version.tag)
    if (isOld) return this.dispatch(failed('notSavedAfterLoss'))
    const isOwn = !isMerge && this.#unknown.madeBy(version, form) !== undefined
    this.#unknown.clear()
    if (isThere) {
      this.dispatch({ type: 'saved', version, notice: { tone: 'good', key: 'savedAfterLoss' } })
    } else if (isOwn) {
      // An earlier save of this page took the tag of this one.
      this.state = { ...this.state, base: version, theirs: undefined }
      this.dispatch(failed('notSavedAfterLoss'))
    } else this.dispatch({ type: 'refused', theirs: version })
  }

  #failed (failure: Failure): void {
    if (failure.kind === 'refused' && failure.code === 'OfferNotFound') this.dispatch({ type: 'gone' })
    else this.dispatch({ type: 'failed', notice: noticeOfFailure(failure) })
  }

  #keepDraft (): void {
    const { drafts } = this.#surroundings
    const { base, form } = this.state
    if (drafts === undefined || base === undefined || form === undefined) return
    const isTyped = isDirty(this.state)
    if (!isTyped) drafts.drop(this.#name)
    this.isKept = !isTyped || drafts.keep(this.#name, { base, form })
  }
}
