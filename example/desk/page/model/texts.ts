/** The part of `Storage` of browsers that the page uses. */
export interface TextStore {
  getItem: (key: string) => string | null
  setItem: (key: string, value: string) => void
  removeItem: (key: string) => void
}

/**
 * Texts in a store that a browser may refuse, or that may be full. What the store does not take stays in memory, and
 * lasts as long as the page.
 */
export class Texts {
  readonly #open: () => TextStore
  readonly #memory = new Map<string, string>()

  /** @param open gives the store. It is called at each use, as a browser that refuses a store throws already there */
  constructor (open: () => TextStore) {
    this.#open = open
  }

  get (key: string): string | undefined {
    return this.#memory.get(key) ?? this.#try((store) => store.getItem(key)) ?? undefined
  }

  /** Returns whether the text outlives a reload. */
  set (key: string, text: string): boolean {
    const isStored = this.#try((store) => {
      store.setItem(key, text)
      return true
    }) ?? false
    if (isStored) this.#memory.delete(key)
    else this.#memory.set(key, text)
    return isStored
  }

  remove (key: string): void {
    this.#memory.delete(key)
    this.#try((store) => { store.removeItem(key) })
  }

  /** Whether a text would be lost with the page. */
  get isAtRisk (): boolean {
    return this.#memory.size > 0
  }

  #try<V> (use: (store: TextStore) => V): V | undefined {
    try {
      return use(this.#open())
    } catch {
      return undefined
    }
  }
}
