import type { Version } from './editor.js'
import type { Form } from './form.js'

/** What was typed and not saved. */
export interface Draft { base: Version, form: Form }

/** The part of `Storage` of browsers that drafts use. */
export interface TextStore {
  getItem: (key: string) => string | null
  setItem: (key: string, value: string) => void
  removeItem: (key: string) => void
}

/** Keeps drafts in a store that outlives a reload, such as that of the tab. */
export class Drafts {
  readonly #store: TextStore

  constructor (store: TextStore) {
    this.#store = store
  }

  /** Keeps a draft. Returns whether it could: a browser may allow no store, or have no room. */
  keep (name: string, draft: Draft): boolean {
    try {
      this.#store.setItem(keyOf(name), JSON.stringify(draft))
      return true
    } catch {
      return false
    }
  }

  /** The draft of this name; undefined if there is none, or none that can be read. */
  find (name: string): Draft | undefined {
    try {
      const draft = JSON.parse(this.#store.getItem(keyOf(name)) ?? 'null') as Draft | null
      return typeof draft?.base?.tag === 'string' && typeof draft.form?.rest === 'string' ? draft : undefined
    } catch {
      return undefined
    }
  }

  drop (name: string): void {
    try {
      this.#store.removeItem(keyOf(name))
    } catch {
      // Without a store there is nothing to drop.
    }
  }
}

function keyOf (name: string): string {
  return `desk.draft:${name}`
}
