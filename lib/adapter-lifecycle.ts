import type { StorageAdapter } from './storage/adapter.js'

interface Use {
  count: number
  /** Settles with the opening or, after the last user is gone, with the closing. */
  state: Promise<void>
}

// An adapter may serve several scopes and several apps: it opens with the first of them and closes with the last.
const uses = new WeakMap<StorageAdapter, Use>()

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

/** Closes an adapter if this was its last user. */
export async function closeAdapter (adapter: StorageAdapter): Promise<void> {
  const use = uses.get(adapter)!
  if (--use.count > 0) return
  const closing = Promise.resolve(adapter.close?.())
  use.state = closing.catch(() => {})
  await closing
}
