import type { StorageAdapter } from './storage/adapter.js'

// An adapter may serve several scopes and several apps: it opens with the first and closes with the last.
const users = new WeakMap<StorageAdapter, { count: number, opened: Promise<void> }>()

/** Opens an adapter for one more user; all of them await the one opening. */
export async function openAdapter (adapter: StorageAdapter): Promise<void> {
  const use = users.get(adapter) ?? { count: 0, opened: Promise.resolve(adapter.open?.()) }
  use.count++
  users.set(adapter, use)
  try {
    await use.opened
  } catch (error) {
    if (--use.count === 0) users.delete(adapter)
    throw error
  }
}

/** Closes an adapter if this was its last user. */
export async function closeAdapter (adapter: StorageAdapter): Promise<void> {
  const use = users.get(adapter)
  if (use === undefined || --use.count > 0) return
  users.delete(adapter)
  await adapter.close?.()
}
