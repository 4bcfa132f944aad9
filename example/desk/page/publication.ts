import type { Action, OffersApi, Progress } from './api/offers.js'
import type { EditorControl } from './editor-control.js'
import { noticeOfFailure } from './model/failure.js'
import type { MessageKey } from './messages/en.js'

/** How often a publication that runs is asked for, in milliseconds. */
const PERIOD = 1000

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

  constructor (editor: EditorControl, api: () => OffersApi, changed: () => void) {
    this.#editor = editor
    this.#api = api
    this.#changed = changed
  }

  /** Asks how far it is, and again as long as it runs. */
  async follow (): Promise<void> {
    clearTimeout(this.#timer)
    const answer = await this.#api().progress(this.#editor.place)
    if (this.#isOver) return
    if (answer.kind === 'ok') {
      const hasMoved = this.progress !== undefined && this.progress.status !== answer.value.status
      this.progress = answer.value
      this.#changed()
      // A step of the clock changes the tag as well.
      if (hasMoved) await this.#editor.look()
    }
    // A server that is away is asked again, too: it may come back.
    if (answer.kind !== 'ok' || answer.value.status === 'running') {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => { void this.follow() }, PERIOD)
    }
  }

  /** Publishes, lets go live or cancels, under the tag of what the person sees. */
  async act (action: Action): Promise<void> {
    if (this.isBusy) return
    this.isBusy = true
    this.#changed()
    try {
      // A tag that the clock moved is read first, and no change of a person passes unseen.
      await this.#editor.look()
      const { base, theirs } = this.#editor.state
      // Going live and cancelling are about the published version: a change of the draft is no reason against them.
      const seen = action === 'publish' ? base : theirs ?? base
      if (seen === undefined) return
      const answer = await this.#api().act(this.#editor.place, action, seen.tag)
      if (answer.kind === 'failed') {
        this.#editor.dispatch({ type: 'told', notice: noticeOfFailure(answer.failure) })
      } else this.#editor.dispatch({ type: 'told', notice: { tone: 'good', key: TOLD[action] } })
      await this.#editor.look()
    } finally {
      this.isBusy = false
      await this.follow()
    }
  }

  /** Asks no more. */
  end (): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }
}
