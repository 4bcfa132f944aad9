import { offersApi, type OffersApi, type Summary } from './api/offers.js'
import { createOffer } from './create-offer.js'
import { Demo } from './demo.js'
import { EditorControl } from './editor-control.js'
import { messagesOf, translator, type Translate } from './messages/translate.js'
import { Drafts } from './model/drafts.js'
import { noticeOfFailure } from './model/failure.js'
import type { JsonObject } from './model/json.js'
import { chooseLanguage, type Language } from './model/language.js'
import type { Notice } from './model/notice.js'
import { hashOf, routeOf, type Route } from './model/route.js'
import { Texts } from './model/texts.js'
import { Publication } from './publication.js'

/** A token that everybody knows, which the server names while it is in use. */
export interface KnownToken { secret: string, publishers: string[] }

/** What the fields of a new offer hold. */
export interface NewOffer { id: string, name: string, planId: string, notice?: Notice | undefined }

const EMPTY: NewOffer = { id: '', name: '', planId: '' }
const TOKEN = 'desk.token'
const LANGUAGE = 'desk.language'

/** The page: where it is, who is signed in, and what its views show. `paint` is called after every change. */
export class Desk {
  t!: Translate
  language: Language = 'en'
  route: Route = { view: 'list', publisher: undefined }
  token: string | undefined
  publishers: string[] | undefined
  offers: Summary[] | undefined
  notice: Notice | undefined
  editor: EditorControl | undefined
  publication: Publication | undefined
  demo: Demo | undefined
  slot: JsonObject | undefined
  newOffer: NewOffer = EMPTY
  isCreating = false
  readonly knownTokens: readonly KnownToken[]
  // What was typed is apart from the token and the language: of these alone nothing that a person made is lost.
  readonly #typed = new Texts(() => sessionStorage)
  readonly #tab = new Texts(() => sessionStorage)
  readonly #browser = new Texts(() => localStorage)
  readonly #drafts = new Drafts(this.#typed)
  readonly #paint: (desk: Desk) => void
  readonly #api = (): OffersApi => offersApi(this.token ?? '')
  readonly #changed = (): void => { this.#paint(this) }

  constructor (knownTokens: readonly KnownToken[], paint: (desk: Desk) => void) {
    this.knownTokens = knownTokens
    this.#paint = paint
    this.token = this.#tab.get(TOKEN)
  }

  /** Shows the page, in the language of the person. */
  async start (): Promise<void> {
    await this.setLanguage(chooseLanguage(this.#browser.get(LANGUAGE), navigator.languages))
    await this.open()
  }

  /** Speaks another language from now on. */
  async setLanguage (language: Language): Promise<void> {
    this.t = translator(await messagesOf(language))
    this.language = language
    this.#changed()
  }

  /** Speaks the language that the person chose, also on the next visit. */
  async chooseLanguage (language: Language): Promise<void> {
    this.#browser.set(LANGUAGE, language)
    await this.setLanguage(language)
  }

  /** Opens the view that the address names. */
  async open (): Promise<void> {
    this.route = routeOf(location.hash)
    this.publication?.end()
    this.notice = this.editor = this.publication = this.demo = this.slot = this.offers = undefined
    const { route } = this
    // Ahead of the first paint: nothing is to be typed into fields that are filled later.
    if (route.view === 'new') this.newOffer = parsed(this.#typed.get(`desk.new:${route.publisher}`)) ?? EMPTY
    this.#changed()
    if (this.token === undefined) return
    if (this.publishers === undefined) await this.#loadPublishers()
    if (this.route !== route || this.token === undefined) return
    switch (route.view) {
      case 'list': await this.loadList(); break
      case 'new': break
      case 'demo':
        this.demo = new Demo(route.publisher, this.#api, this.#changed)
        await this.demo.begin()
        break
      case 'offer': await this.#openOffer(route.publisher, route.offer); break
      case 'slot': {
        const answer = await this.#api().slot(route, route.slot)
        // The heading is that of another slot by now.
        if (this.route !== route) return
        if (answer.kind === 'ok') this.slot = answer.value
        if (answer.kind === 'failed') this.notice = noticeOfFailure(answer.failure)
        this.#changed()
      }
    }
  }

  /** Whether something that was typed would be lost with the page. */
  get isAtRisk (): boolean {
    return this.#typed.isAtRisk
  }

  /** The publisher whose offers are shown. */
  get publisher (): string | undefined {
    return this.route.publisher ?? this.publishers?.[0]
  }

  /** Reads the list of offers. */
  async loadList (): Promise<void> {
    const { publisher } = this
    if (publisher === undefined) return
    const answer = await this.#api().list(publisher)
    if (this.route.view !== 'list' || publisher !== this.publisher) return
    this.notice = answer.kind === 'failed' ? noticeOfFailure(answer.failure) : undefined
    if (answer.kind === 'ok') this.offers = answer.value
    this.#changed()
  }

  /** Signs in with a token, which the server has to know. */
  async signIn (token: string): Promise<void> {
    // The field stays on the page, with the token in it, until the server knows the token.
    const candidate = token.trim()
    const answer = await offersApi(candidate).publishers()
    if (answer.kind === 'ok') {
      this.token = candidate
      this.publishers = answer.value.map(({ id }) => id)
      this.#tab.set(TOKEN, candidate)
      await this.open()
    } else if (answer.kind === 'failed') {
      this.notice = noticeOfFailure(answer.failure)
      this.#changed()
    }
  }

  signOut (): void {
    this.#tab.remove(TOKEN)
    this.token = this.publishers = undefined
    void this.open()
    this.notice = { tone: 'info', key: 'signedOut' }
    this.#changed()
  }

  typeNew (change: Partial<NewOffer>): void {
    this.newOffer = { ...this.newOffer, notice: undefined, ...change }
    this.#typed.set(`desk.new:${this.publisher}`, JSON.stringify(this.newOffer))
    this.#changed()
  }

  /** Creates an offer, if there is none of its id, and opens it. One at a time: a second click is the same one. */
  async create (): Promise<void> {
    const { route, newOffer: { id, name, planId } } = this
    if (this.isCreating || route.view !== 'new') return
    const { publisher } = route
    if (!/^(?=.{1,50}$)[a-z0-9-]*[a-z0-9]$/.test(id)) {
      this.typeNew({ notice: { tone: 'bad', key: 'wrongId' } })
      return
    }
    this.isCreating = true
    this.typeNew({})
    const notice = await createOffer(this.#api(), { publisher, offer: id }, {
      offerTypeId: 'microsoft-azure-virtualmachines',
      definition: { displayText: name, plans: planId === '' ? [] : [{ planId }] }
    })
    this.isCreating = false
    if (notice === undefined) this.#typed.remove(`desk.new:${publisher}`)
    // A person who has gone to another view meanwhile stays there.
    if (this.route !== route) this.#changed()
    else if (notice === undefined) location.hash = hashOf({ view: 'offer', publisher, offer: id })
    else this.typeNew({ notice })
  }

  /** Tells that the page itself failed: a person who waits for nothing loses time. */
  fail (error: unknown): void {
    const notice: Notice = { tone: 'bad', key: 'failedPage', values: { message: String(error) } }
    if (this.editor === undefined) {
      this.notice = notice
      this.#changed()
    } else this.editor.dispatch({ type: 'failed', notice })
  }

  /** Looks whether somebody else changed what is shown. */
  async look (): Promise<void> {
    if (this.editor !== undefined && this.editor.state.phase !== 'loading') await this.editor.look()
  }

  async #openOffer (publisher: string, offer: string): Promise<void> {
    const editor = new EditorControl({
      place: { publisher, offer },
      api: this.#api,
      drafts: this.#drafts,
      changed: () => {
        if (this.editor !== editor) return
        this.#changed()
        publication.heed()
      }
    })
    this.editor = editor
    const publication = new Publication(editor, this.#api, this.#changed)
    this.publication = publication
    await editor.load()
    if (this.publication === publication) await publication.follow()
  }

  async #loadPublishers (): Promise<void> {
    const answer = await this.#api().publishers()
    if (answer.kind === 'ok') {
      this.publishers = answer.value.map(({ id }) => id)
      this.notice = undefined
    } else if (answer.kind === 'failed') {
      this.notice = noticeOfFailure(answer.failure)
      // Typed texts stay in the tab: they are there again after the next sign-in.
      if (answer.failure.kind === 'refused' && answer.failure.status === 401) this.token = undefined
    }
    this.#changed()
  }
}

function parsed (text: string | undefined): NewOffer | undefined {
  try {
    return text === undefined ? undefined : JSON.parse(text) as NewOffer
  } catch {
    return undefined
  }
}
