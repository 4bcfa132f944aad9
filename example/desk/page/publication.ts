import type { Action, OffersApi, Progress } from './api/offers.js'
import type { EditorControl } from './editor-control.js'
import { isSameContent, type Version } from './model/editor.js'
import { noticeOfFailure } from './model/failure.js'
import type { MessageKey } from './messages/en.js'

/** How often a publication that runs is asked for, in milliseconds. */
const PERIOD = 1000

/** The statuses of a publication that is not over. */
const ACTIVE: ReadonlySet<unknown> = new Set(['running', 'waitingForPublisherReview'])

/** The same while the server does not tell: one that is overloaded asks for up to so long (`Retry-After`). */
const PERIOD_OF_FAILURE = 5000

/** Without a token, a role or an offer there is no progress. */
const FINAL: ReadonlySet<number> = new Set([401, 403, 404])

const TOLD = {
  publish: 'published',
  golive: 'wentLive',
  cancel: 'canceled'
} as const satisfies Record<Action, MessageKey>

/** The publication of the offer in an editor. */
export class Publication {
  progress: Progress | undefined
  isBusy = false
  readonly #editor: EditorControl
  readonly #api: () => OffersApi
  readonly #changed: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOver = false
  // Whether an answer is on its way, or will be asked for.
  #isWatching = false
  #hasFollowed = false
  // The tag of the version that was there when the progress was asked for last.
  #heeded: string | undefined

  constructor (editor: EditorControl, api: () => OffersApi, changed: () => void) {
    this.#editor = editor
    this.#api = api
    this.#changed = changed
  }

  /** Asks how far it is, and again as long as it runs. */
  async follow (): Promise<void> {
    clearTimeout(this.#timer)
    this.#isWatching = true
    this.#hasFollowed = true
    this.#heeded = this.#newest?.tag
    const answer = await this.#api().progress(this.#editor.place)
    if (this.#isOver) return
    if (answer.kind === 'ok') {
      const hasMoved = this.progress !== undefined && this.progress.status !== answer.value.status
      this.progress = answer.value
      this.#changed()
      // A step of the clock changes the tag as well.
      if (hasMoved) await this.#editor.look()
    }
    clearTimeout(this.#timer)
    // A server that is away is asked again, too: it may come back. One that refuses would say the same again.
    const isFinal = answer.kind === 'failed' && answer.failure.kind === 'refused' && FINAL.has(answer.failure.status)
    this.#isWatching = !isFinal && (answer.kind !== 'ok' || answer.value.status === 'running')
    const period = answer.kind === 'ok' ? PERIOD : PERIOD_OF_FAILURE
    if (this.#isWatching) this.#timer = setTimeout(() => { void this.follow() }, period)
  }

  /** Follows again if the version that was read has another status: another window began, or ended, a publication. */
  heed (): void {
    const newest = this.#newest
    if (this.#isOver || this.#isWatching || this.isBusy || !this.#hasFollowed || newest === undefined) return
    // Once a version: the clock may be ahead of what was read.
    if (newest.tag === this.#heeded || newest.document['status'] === this.progress?.status) return
    void this.follow()
  }

  get #newest (): Version | undefined {
    const { base, theirs } = this.#editor.state
    return theirs ?? base
  }

  /** Publishes, lets go live or cancels, under the tag of what the person sees. */
  async act (action: Action): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    this.#changed()
    const seen = this.#subjectOf(action)
    const status = this.progress?.status
    try {
      // A tag that the clock moved is read first. What the person has not seen is not acted on: it is shown first.
      await this.#editor.look()
      const now = this.#subjectOf(action)
      if (seen === undefined || now === undefined) return
      if (!isAsSeen(action, seen, now, status)) {
        this.#editor.dispatch({ type: 'told', notice: { tone: 'bad', key: 'failedChanged' } })
        return
      }
      const answer = await this.#api().act(this.#editor.place, action, now.tag)
      if (answer.kind === 'failed') {
        this.#editor.dispatch({ type: 'told', notice: noticeOfFailure(answer.failure) })
      } else this.#editor.dispatch({ type: 'told', notice: { tone: 'good', key: TOLD[action] } })
      await this.#editor.look()
    } finally {
      this.isBusy = false
      await this.follow()
    }
  }

  // Going live and cancelling are about the published version: a change of the draft is no reason against them.
  #subjectOf (action: Action): Version | undefined {
    return action === 'publish' ? this.#editor.state.base : this.#newest
  }

  /** Asks no more. */
  end (): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }
}

// Whether this is still what the person saw: the content that is to be published, or the version that is to go live or
// to be canceled, and its status. The clock may have moved a publication on: cancelling it means the same.
function isAsSeen (action: Action, seen: Version, now: Version, status: string | undefined): boolean {
  if (action === 'publish') return isSameContent(seen, now)
  const { document } = now
  if (document['version'] !== seen.document['version']) return false
  if (action === 'cancel') return ACTIVE.has(document['status'])
  return document['status'] === (status ?? seen.document['status'])
}
