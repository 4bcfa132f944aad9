import type { Version } from './editor.js'
import { contentOf, type Form } from './form.js'
import { isSame, type JsonObject } from './json.js'

/** A write whose answer was lost: what it stores, and what was typed when it was sent. */
export interface UnknownWrite { content: JsonObject, form: Form, isMerge: boolean }

/** The writes of an editor that may have been applied to the version that was read, or still be. */
export class UnknownWrites {
  #writes: UnknownWrite[] = []

  add (write: UnknownWrite): void {
    this.#writes.push(write)
  }

  /** Forgets them: there is another version, so they are applied by now, or never will be. */
  clear (): void {
    this.#writes = []
  }

  /**
   * The one that made this version. A merge holds what the form does not: what was typed since does not go on from it
   * by itself.
   */
  madeBy ({ document }: Version, typed: Form | undefined): UnknownWrite | undefined {
    return this.#writes.find(({ content, form, isMerge }) =>
      isSame(contentOf(document), content) && (!isMerge || form === typed))
  }
}
