import type { StorageAdapter } from './storage/adapter.js'

/** Milliseconds that the closing of an adapter waits for requests that may still use it. */
const PATIENCE = 10_000

/** The requests and operations that may still use an adapter. */
export class AdapterWork {
  #open = 0
  #onIdle: (() => void) | undefined

  begin (): void {
    this.#open++
  }

  end (): void {
    if (--this.#open === 0) this.#onIdle?.()
  }

  /** Waits until nothing uses the adapter, or until it has taken too long: a request may never end. */
  async idle (): Promise<void> {
    if (this.#open === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE)
      this.#onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

interface Use {
  count: number
  /** Settles with the opening or, after the last user is gone, with the closing. */
  state: Promise<void>
}

// An adapter may serve several scopes and several apps: it opens with the first of them and closes with the last.
const uses = new WeakMap<StorageAdapter, Use>()
const works = new WeakMap<StorageAdapter, AdapterWork>()

/** What uses an adapter now, in all scopes and apps. */
export function workOn (adapter: StorageAdapter): AdapterWork {
  let work = works.get(adapter)
  if (work === undefined) works.set(adapter, work = new AdapterWork())
  return work
}

/** Opens an adapter for one more user. All of them await one opening, which waits for a closing that is under way. */
export async function openAdapter (adapter: StorageAdapter): Promise<void> {
  const use = uses.get(adapter) ?? { count: 0, state: Promise.resolve() }
  if (use.count++ === 0) use.state = use.state.then(() => adapter.open?.())
  uses.set(adapter, use)
  try {
    await use.state
  } catch (error) {
    if (--use.count === 0) uses.delete(adapter)
    throw error
  }
}

/**
 * Closes an adapter if this was its last user, once no request uses it. Fastify waits for the connections of its first
 * server alone (engine-facts#fastify-localhost-servers), and for no request that was injected.
 */
export async function closeAdapter (adapter: StorageAdapter): Promise<void> {
  const use = uses.get(adapter)!
  if (--use.count > 0) return
  const closing = workOn(adapter).idle().then(() => adapter.close?.())
  use.state = closing.catch(() => {})
  await closing
}
