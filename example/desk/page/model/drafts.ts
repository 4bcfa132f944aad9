import type { Version } from './editor.js'
import type { Form } from './form.js'
import type { Texts } from './texts.js'

/** What was typed and not saved. */
export interface Draft { base: Version, form: Form }

/** Keeps drafts by name, in texts that outlive a reload where the browser allows it. */
export class Drafts {
  readonly #texts: Texts

  constructor (texts: Texts) {
    this.#texts = texts
  }

  /** Keeps a draft. Returns whether it outlives a reload: a browser may allow no store, or have no room. */
  keep (name: string, draft: Draft): boolean {
    return this.#texts.set(keyOf(name), JSON.stringify(draft))
  }

  /** The draft of this name; undefined if there is none, or none that can be read. */
  find (name: string): Draft | undefined {
    try {
      const draft = JSON.parse(this.#texts.get(keyOf(name)) ?? 'null') as Draft | null
      return typeof draft?.base?.tag === 'string' && typeof draft.form?.rest === 'string' ? draft : undefined
    } catch {
      return undefined
    }
  }

  drop (name: string): void {
    this.#texts.remove(keyOf(name))
  }
}

function keyOf (name: string): string {
  return `desk.draft:${name}`
}
